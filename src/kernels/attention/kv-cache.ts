import { divisible, type KernelLibrary } from "../../gpu/kernel.ts";
import { kvF16, kvF32 } from "../libraries.ts";

/** Element type of the KV cache. f16 is stored two per word and needs no shader-f16. */
export type KvFormat = "f32" | "f16";

/**
 * One layer's KV cache and the heads that read it. Keys and values are a buffer each: [K][capacity][D] elements,
 * position p in slot p % capacity.
 */
export interface KvShape {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  /** Slots per KV head, see `kvCapacity`. */
  readonly capacity: number;
  readonly kvFormat: KvFormat;
}

/** The WGSL that packs and unpacks a KV format. */
export const kvLibrary = (format: KvFormat): KernelLibrary => (format === "f16" ? kvF16 : kvF32);

/**
 * Slots that a layer needs. A sliding layer (`window` > 0) keeps a ring: the window before the first token of a
 * pass, and the pass. A full layer (`window` 0) keeps every position.
 */
export function kvCapacity(window: number, maxTokensPerPass: number, contextLength: number): number {
  return window === 0 ? contextLength : Math.min(contextLength, window - 1 + maxTokensPerPass);
}

/** Bytes of the keys buffer of a layer; the values buffer is as large. */
export function kvCacheBytes(
  shape: Pick<KvShape, "numKvHeads" | "headDim" | "capacity" | "kvFormat">,
): number {
  return shape.numKvHeads * shape.capacity * shape.headDim * kvElementBytes(shape.kvFormat);
}

export const kvElementBytes = (format: KvFormat): number => (format === "f16" ? 2 : 4);

/** Rules that every kernel on the KV cache has. */
export function checkKvShape(shape: KvShape): string[] {
  return [
    ...divisible("head dim", shape.headDim, 8),
    ...divisible("query heads", shape.numHeads, shape.numKvHeads),
    ...divisible("KV cache capacity", shape.capacity, 1),
  ];
}

/** WGSL constants of a KV shape: heads Q and K, head dim D, CAPACITY in slots. */
export const kvConstants = (shape: KvShape) => ({
  Q: shape.numHeads,
  K: shape.numKvHeads,
  D: shape.headDim,
  CAPACITY: shape.capacity,
});
