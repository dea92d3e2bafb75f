import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/attention-sink-prefill.wgsl?raw";
import { bf16, rowParts, step } from "../libraries.ts";
import { type AttentionShape, attentionConstants, checkAttentionShape } from "./attention-shape.ts";
import { kvLibrary } from "./kv-cache.ts";

const workgroupSize = 64;

/** Keys and values of a tile together take at most 8 KiB, half of the workgroup memory that every adapter has. */
const keysPerTile = (headDim: number): number => Math.min(32, Math.floor(256 / headDim) * 4);

/**
 * Causal attention with sinks for many tokens, whose keys and values already lie in the cache. q, out: [T, Q*D] f32;
 * keys, values: [K, capacity, D] in the KV format; sinks: [Q] bf16.
 */
export const attentionSinkPrefill = defineKernel({
  id: "attention-sink-prefill",
  wgsl,
  libraries: ({ kvFormat }: AttentionShape) => [step, bf16, kvLibrary(kvFormat), rowParts],
  bindings: {
    step: "uniform",
    q: "read",
    keys: "read",
    values: "read",
    sinks: "read",
    out: "read_write",
  },
  constants: (shape: AttentionShape) => ({
    ...attentionConstants(shape),
    HEAD_VECS: shape.headDim / 4,
    WG_SIZE: workgroupSize,
    TILE_KEYS: keysPerTile(shape.headDim),
  }),
  check: checkAttentionShape,
});

/** One workgroup for 64 (token, query head) rows of one KV head. */
export function attentionSinkPrefillGrid(
  { numHeads, numKvHeads }: Pick<AttentionShape, "numHeads" | "numKvHeads">,
  numTokens: number,
): Grid {
  const rows = (numTokens * numHeads) / numKvHeads;
  return [Math.ceil(rows / workgroupSize), numKvHeads, 1];
}
