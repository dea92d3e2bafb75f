import { EngineError } from "../errors.ts";

/** What is worth knowing of an adapter, as plain data. */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True for a CPU implementation such as SwiftShader. */
  readonly isSoftware: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
}

export interface RequestAdapterOptions {
  /** How often to ask before giving up. Default 3. */
  readonly attempts?: number;
  /** Pause before the second and later attempts, in ms. Default 200. */
  readonly pauseMs?: number;
  readonly sleep?: (ms: number) => Promise<void>;
}

const defaultSleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * An adapter, asking again where the first answer is null: Chromium answers null once while its GPU process
 * restarts (seen on NVIDIA + Vulkan with "A valid external Instance reference no longer exists").
 * @throws webgpu-unavailable where there is no WebGPU, adapter-unavailable where it never gives an adapter
 */
export async function requestAdapter(
  gpu: GPU | undefined,
  options: RequestAdapterOptions = {},
): Promise<GPUAdapter> {
  if (gpu === undefined) {
    throw new EngineError(
      "webgpu-unavailable",
      "WebGPU is not available here: use a browser that has it (Chrome or Edge 134 or newer), on a secure page.",
    );
  }
  const { attempts = 3, pauseMs = 200, sleep = defaultSleep } = options;
  let cause: unknown;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await sleep(pauseMs);
    try {
      const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
      if (adapter !== null) return adapter;
    } catch (error) {
      cause = error;
    }
  }
  throw new EngineError(
    "adapter-unavailable",
    `WebGPU gave no adapter in ${attempts} attempts: the graphics card or its driver is blocked or missing. Update the driver, enable hardware acceleration, or restart the browser.`,
    { details: { attempts }, cause },
  );
}

/** Describes an adapter. */
export function adapterFacts(adapter: GPUAdapter): AdapterFacts {
  const { info } = adapter;
  const text = `${info.vendor} ${info.architecture} ${info.description} ${info.device}`.toLowerCase();
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description,
    isSoftware: info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/.test(text),
    subgroupMinSize: info.subgroupMinSize,
    subgroupMaxSize: info.subgroupMaxSize,
  };
}
