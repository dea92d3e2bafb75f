import { f32 } from "../../gpu/kernel.ts";
import { checkKvShape, type KvShape, kvConstants } from "./kv-cache.ts";

/** Attention of one layer. */
export interface AttentionShape extends KvShape {
  /** Keys that a token sees, its own included; 0 where it sees all before it. */
  readonly window: number;
}

/** WGSL constants of an attention shape: the KV cache's, WINDOW and SCALE = 1 / sqrt(D). */
export const attentionConstants = (shape: AttentionShape) => ({
  ...kvConstants(shape),
  WINDOW: shape.window,
  SCALE: f32(1 / Math.sqrt(shape.headDim)),
});

/** Rules that every attention kernel has. Above 128 dims none of them was tested. */
export function checkAttentionShape(shape: AttentionShape): string[] {
  return [
    ...checkKvShape(shape),
    ...(shape.headDim > 128 ? [`head dim (${shape.headDim}) must be at most 128`] : []),
    ...(shape.capacity < shape.window
      ? [`KV cache capacity (${shape.capacity}) must be at least the window (${shape.window})`]
      : []),
  ];
}
