import { type AdapterFacts, adapterFacts, type RequestAdapterOptions, requestAdapter } from "./adapter.ts";
import { raisedLimits } from "./gpu.ts";

/** An adapter as plain data: what decides whether and how a model runs on it. */
export interface AdapterDescription extends AdapterFacts {
  /** Names of its optional features. */
  readonly features: readonly string[];
  /** The limits that a device is asked for at the adapter's own maximum. */
  readonly limits: Readonly<Record<(typeof raisedLimits)[number], number>>;
}

/**
 * Describes the adapter that an engine would run on, without opening a device.
 * @throws webgpu-unavailable | adapter-unavailable
 */
export async function describeAdapter(
  gpu: GPU | undefined,
  options: RequestAdapterOptions = {},
): Promise<AdapterDescription> {
  const adapter = await requestAdapter(gpu, options);
  const limits = Object.fromEntries(raisedLimits.map((name) => [name, adapter.limits[name]]));
  return {
    ...adapterFacts(adapter),
    features: [...adapter.features].sort(),
    limits: limits as AdapterDescription["limits"],
  };
}
