import type { CheckpointManifest } from "../format/types.ts";
import { createDryBufferSet } from "../gpu/dry-buffers.ts";
import type { BufferLimits } from "../gpu/limits.ts";
import { kvCacheBytes } from "../kernels/attention/kv-cache.ts";
import { allocateActivations } from "../model/activations.ts";
import { attentionShape, type PlanOptions } from "../model/shapes.ts";
import { layOutWeights } from "../model/weights.ts";

/** Bytes of GPU memory that a model takes, by what for. */
export interface ModelNeeds {
  readonly weightBytes: number;
  /** Keys and values for `contextLength` positions. */
  readonly kvBytes: number;
  /** Everything between: activations of one pass, rotary table, sampling. */
  readonly activationBytes: number;
  readonly totalBytes: number;
}

/** Limits that nothing exceeds: for sizes alone. */
const noLimits: BufferLimits = {
  maxBufferSize: Number.MAX_SAFE_INTEGER,
  maxStorageBufferBindingSize: Number.MAX_SAFE_INTEGER,
};

/** What a model takes of the GPU's memory, laid out without limits. */
export function modelNeeds(manifest: CheckpointManifest, options: PlanOptions): ModelNeeds {
  const weights = createDryBufferSet(noLimits);
  layOutWeights(manifest, weights, options);
  const rest = createDryBufferSet(noLimits);
  allocateActivations(rest, manifest.config, options);
  const kvBytes = manifest.config.layerTypes
    .map((layerType) => 2 * kvCacheBytes(attentionShape(manifest.config, layerType, options)))
    .reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  const totalBytes = weights.totalBytes + rest.totalBytes;
  return {
    weightBytes: weights.totalBytes,
    kvBytes,
    activationBytes: rest.totalBytes - kvBytes,
    totalBytes,
  };
}

/** Lays a model out against an adapter's limits. @throws limit-exceeded naming the buffer */
export function checkLimits(manifest: CheckpointManifest, options: PlanOptions, limits: BufferLimits): void {
  const dry = createDryBufferSet(limits);
  layOutWeights(manifest, dry, options);
  allocateActivations(dry, manifest.config, options);
}

/** The longest context for which `fits` holds, from 1 to `most`; 0 where none does. `fits` must not come back once it ends. */
export function longestContext(most: number, fits: (contextLength: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
