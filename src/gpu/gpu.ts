import { EngineError } from "../errors.ts";
import { type AdapterFacts, adapterFacts, type RequestAdapterOptions, requestAdapter } from "./adapter.ts";

/**
 * How kernels reduce across invocations: `subgroups` uses subgroup operations (any size from 4 to 64),
 * `workgroup` uses workgroup memory alone and runs everywhere.
 */
export const kernelVariants = ["subgroups", "workgroup"] as const;
export type KernelVariant = (typeof kernelVariants)[number];

/** A device with what the engine needs to know of it. Owns the device: `destroy()` ends it. */
export interface Gpu {
  readonly device: GPUDevice;
  /** Kept referenced: Dawn in Node frees its instance, under a live device, once this object is collected. */
  readonly instance: GPU | undefined;
  readonly adapter: AdapterFacts;
  /** The variant that fits this adapter. */
  readonly variant: KernelVariant;
  /** Resolves when the device is gone, with what the driver said. Never rejects. */
  readonly lost: Promise<GPUDeviceLostInfo>;
  destroy(): void;
}

const optionalFeatures: readonly GPUFeatureName[] = ["subgroups", "timestamp-query"];

/** Limits asked for at the adapter's own maximum; every other limit stays at its default. */
const raisedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** The kernel variant for an adapter, from its features and subgroup sizes. */
export function chooseVariant(features: ReadonlySet<string>, facts: AdapterFacts): KernelVariant {
  const sizesFit = facts.subgroupMinSize >= 4 && facts.subgroupMaxSize <= 64;
  return features.has("subgroups") && sizesFit ? "subgroups" : "workgroup";
}

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
    lost: device.lost,
    destroy: () => device.destroy(),
  };
}
