import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { EngineError } from "../errors.ts";

/** Which GPU the desktop engine asks for. `auto` takes a real GPU and falls back to SwiftShader. */
export type AdapterChoice = "auto" | "swiftshader";

interface DawnModule {
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

async function loadDawn(): Promise<DawnModule> {
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

/**
 * WebGPU on the desktop through Dawn. `onFallback` is told where `auto` finds no GPU and takes SwiftShader.
 * Dawn names the Vulkan drivers when the instance is made, so the driver file is put in the environment first.
 * @throws webgpu-unavailable | adapter-unavailable
 */
export async function openDawn(
  choice: AdapterChoice = "auto",
  onFallback: (sentence: string) => void = () => {},
): Promise<GPU> {
  const dawn = await loadDawn();
  Object.assign(globalThis, dawn.globals);
  if (choice === "auto") {
    const gpu = dawn.create([exactTimestamps]);
    if ((await gpu.requestAdapter({ powerPreference: "high-performance" })) !== null) return gpu;
    onFallback("No GPU was found: running on SwiftShader, a CPU implementation of Vulkan. It is slow.");
  }
  const icd = swiftShaderIcd();
  if (icd === undefined) {
    throw new EngineError(
      "adapter-unavailable",
      "There is no GPU here and no SwiftShader either: install Chromium (it ships SwiftShader), or set GPT_OSS_SWIFTSHADER_ICD to its vk_swiftshader_icd.json.",
    );
  }
  process.env.VK_ICD_FILENAMES = icd;
  process.env.VK_DRIVER_FILES = icd;
  return dawn.create(["backend=vulkan", `${softwareToggles},timestamp_quantization`]);
}
