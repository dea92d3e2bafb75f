import { EngineError } from "../errors.ts";
import { type AdapterFacts, adapterFacts, type RequestAdapterOptions, requestAdapter } from "./adapter.ts";
import { createPipelineCache, type PipelineCache } from "./pipelines.ts";
import { hasTileMatrices } from "./subgroup-matrix.ts";
import { chooseVariant, type KernelVariant } from "./variant.ts";

export { chooseVariant, type KernelVariant, kernelVariants } from "./variant.ts";

/** A device with what the engine needs to know of it. Owns the device: `destroy()` ends it. */
export interface Gpu {
  readonly device: GPUDevice;
  /** Kept referenced: Dawn in Node frees its instance, under a live device, once this object is collected. */
  readonly instance: GPU | undefined;
  readonly adapter: AdapterFacts;
  /** The variant that fits this adapter. */
  readonly variant: KernelVariant;
  /** Whether it has the subgroup matrices that the tile kernels can use. */
  readonly hasMatrices: boolean;
  /** Whether WGSL has dot4I8Packed here: the language feature packed_4x8_integer_dot_product. */
  readonly hasPackedDot: boolean;
  /** Whether mapped memory ends with the device under whoever still writes to it, without a word: Dawn in Node. */
  readonly freesMappedMemory: boolean;
  /** Kernels compiled so far: a model that is loaded again compiles nothing. */
  readonly pipelines: PipelineCache;
  /** Resolves when the device is gone, with what the driver said. Never rejects. */
  readonly lost: Promise<GPUDeviceLostInfo>;
  destroy(): void;
}

/** Features that a device is asked for where its adapter has them. */
export const optionalFeatures = [
  "subgroups",
  "timestamp-query",
  "shader-f16",
  "chromium-experimental-subgroup-matrix",
] as readonly GPUFeatureName[];

/** Limits asked for at the adapter's own maximum; every other limit stays at its default. */
export const raisedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/**
 * Opens a device on the best adapter.
 * @throws webgpu-unavailable | adapter-unavailable | device-lost
 */
export async function openGpu(gpu: GPU | undefined, options: RequestAdapterOptions = {}): Promise<Gpu> {
  const adapter = await requestAdapter(gpu, options);
  const facts = adapterFacts(adapter);
  const requiredFeatures = optionalFeatures.filter((feature) => adapter.features.has(feature));
  const requiredLimits: Record<string, number> = {};
  for (const name of raisedLimits) requiredLimits[name] = adapter.limits[name];
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: "gpt-oss-webgpu", requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new EngineError(
      "adapter-unavailable",
      `The adapter ${facts.description || facts.vendor} refused a device: ${String(cause)}`,
      { cause },
    );
  }
  return {
    device,
    instance: gpu,
    adapter: facts,
    variant: chooseVariant(device.features as ReadonlySet<string>, facts),
    hasMatrices: hasTileMatrices(device.features as ReadonlySet<string>, adapter.info),
    hasPackedDot: gpu?.wgslLanguageFeatures?.has("packed_4x8_integer_dot_product") === true,
    freesMappedMemory: isNode(),
    pipelines: createPipelineCache(device),
    lost: device.lost,
    destroy: () => device.destroy(),
  };
}

/** Browsers detach mapped memory first. */
const isNode = (): boolean =>
  (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;
