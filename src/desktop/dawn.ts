import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { EngineError, isEngineError } from "../errors.ts";
import { adapterFacts, requestAdapter } from "../gpu/adapter.ts";
import { mayHaveGpu } from "./gpu-hardware.ts";
import { paceTicks, type TickPacer } from "./paced-ticks.ts";

/** Which GPU the desktop engine asks for. `auto` takes a real GPU and falls back to SwiftShader. */
export type AdapterChoice = "auto" | "swiftshader";

export interface DawnModule {
  readonly create: (flags: string[]) => GPU;
  readonly globals: Record<string, unknown>;
}

/**
 * SwiftShader unrolls the zeroing of workgroup memory that this Vulkan extension asks for: a kernel with 8 KiB then takes
 * over 1 s to compile. Without it Dawn writes a loop, with the same result, and compiling takes 0.1 s (Dawn 0.6.2, Chromium 156).
 */
const softwareToggles = "disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension";

/** Timestamps of the bench in nanoseconds instead of steps of 100 us, which protect web pages from one another. */
const exactTimestamps = "disable-dawn-features=timestamp_quantization";

const chromiumIcd = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** Where SwiftShader's Vulkan driver file lies (it ships with Chromium), or undefined. */
export function swiftShaderIcd(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return [env.GPT_OSS_SWIFTSHADER_ICD, chromiumIcd].find((path) => path !== undefined && existsSync(path));
}

export async function loadDawn(): Promise<DawnModule> {
  try {
    const path = process.env.DAWN_NODE;
    if (path !== undefined) return createRequire(import.meta.url)(path) as DawnModule;
    return (await import("webgpu")) as unknown as DawnModule;
  } catch (cause) {
    throw new EngineError(
      "webgpu-unavailable",
      `Dawn (npm package webgpu) could not be loaded: ${String(cause)}`,
      { cause },
    );
  }
}

/** What `openDawn` stands on; passed in by tests. */
export interface DawnSurroundings {
  readonly load: () => Promise<DawnModule>;
  /** Where the Vulkan driver is named. */
  readonly env: NodeJS.ProcessEnv;
  readonly mayHaveGpu: () => boolean;
  /** SwiftShader's driver file, if it is here. */
  readonly swiftShader: () => string | undefined;
  /** Paces this thread's polls of Dawn. */
  readonly pace: () => TickPacer;
}

const realSurroundings: DawnSurroundings = {
  load: loadDawn,
  env: process.env,
  mayHaveGpu: () => mayHaveGpu(),
  swiftShader: () => swiftShaderIcd(),
  pace: () => paceTicks(),
};

/** One more than the null with which a driver that restarts answers; a machine without a GPU is not kept waiting. */
const adapterAttempts = 2;

/**
 * WebGPU on the desktop through Dawn. `onFallback` is told where `auto` finds no GPU and takes SwiftShader.
 * `setImmediate` of this thread is replaced by one that paces Dawn's callbacks alone (`paceTicks`).
 * Dawn names the Vulkan drivers when the instance is made, so the driver file is put in the environment first.
 * @throws webgpu-unavailable | adapter-unavailable
 */
export async function openDawn(
  choice: AdapterChoice = "auto",
  onFallback: (sentence: string) => void = () => {},
  { load, env, mayHaveGpu, swiftShader, pace }: DawnSurroundings = realSurroundings,
): Promise<GPU> {
  const dawn = await load();
  Object.assign(globalThis, dawn.globals);
  const pacer = pace();
  const icd = swiftShader();
  if (choice === "auto") {
    // Dawn prints warnings where it finds nothing, so it is asked only where there may be a GPU, or nothing else is left.
    const isWorthIt =
      icd === undefined || (mayHaveGpu() && (env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES) !== icd);
    const gpu = isWorthIt ? await hardware(dawn, pacer) : undefined;
    if (gpu !== undefined) return gpu;
    if (icd !== undefined)
      onFallback("No GPU was found: running on SwiftShader, a CPU implementation of Vulkan. It is slow.");
  }
  if (icd === undefined) {
    throw new EngineError(
      "adapter-unavailable",
      "There is no GPU here and no SwiftShader either: install Chromium (it ships SwiftShader), or set GPT_OSS_SWIFTSHADER_ICD to its vk_swiftshader_icd.json.",
    );
  }
  pacer.opened(true);
  env.VK_ICD_FILENAMES = icd;
  env.VK_DRIVER_FILES = icd;
  return dawn.create(["backend=vulkan", `${softwareToggles},timestamp_quantization`]);
}

/** An instance that gives an adapter, or undefined where it gives none, also when asked again. */
async function hardware(dawn: DawnModule, pacer: TickPacer): Promise<GPU | undefined> {
  const toggles = process.env.GPT_OSS_DAWN_FEATURES;
  const gpu = dawn.create([exactTimestamps, ...(toggles ? [`enable-dawn-features=${toggles}`] : [])]);
  try {
    const adapter = await requestAdapter(gpu, { attempts: adapterAttempts });
    pacer.opened(adapterFacts(adapter).isSoftware);
    return gpu;
  } catch (error) {
    if (isEngineError(error, "adapter-unavailable")) return undefined;
    throw error;
  }
}
