import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/attention-sink-decode.wgsl?raw";
import { step } from "../libraries.ts";
import { type AttentionShape, attentionConstants, checkAttentionShape } from "./attention-shape.ts";
import { kvLibrary } from "./kv-cache.ts";

/** Most workgroups that share the keys of one token and KV head; also the records per head in the partials. */
export const maxSplits = 32;

const tileKeys = 64;
const mostHeads = 8;

type Heads = Pick<AttentionShape, "numHeads" | "numKvHeads" | "headDim">;

/** Query heads of one KV head that a workgroup serves: the largest divisor of their number that is at most 8. */
function headsPerWorkgroup({ numHeads, numKvHeads }: Heads): number {
  const group = numHeads / numKvHeads;
  let heads = Math.min(group, mostHeads);
  while (group % heads !== 0) heads -= 1;
  return heads;
}

/**
 * Attention for few tokens over shares of their keys ("split-K"), to be joined by attention-sink-merge. q: [T, Q*D]
 * f32; keys, values: [K, capacity, D] in the KV format; partials: `attentionPartialsBytes`.
 */
export const attentionSinkDecode = defineKernel({
  id: "attention-sink-decode",
  wgsl,
  libraries: ({ kvFormat }: AttentionShape) => [step, kvLibrary(kvFormat)],
  bindings: { step: "uniform", q: "read", keys: "read", values: "read", partials: "read_write" },
  constants: (shape: AttentionShape) => ({
    ...attentionConstants(shape),
    HEADS: headsPerWorkgroup(shape),
    TILE_KEYS: tileKeys,
    WG_SIZE: 4 * tileKeys,
    MAX_SPLITS: maxSplits,
  }),
  check: checkAttentionShape,
});

/** Workgroups worth sharing `maxKeys` visible keys among: one for 64 keys, at most `maxSplits`. */
export const decodeSplits = (maxKeys: number): number =>
  Math.min(maxSplits, Math.max(1, Math.ceil(maxKeys / tileKeys)));

/**
 * One workgroup for up to 8 heads of a KV head, a share of the keys, and a token. `maxKeys`: the most keys that any
 * of the tokens sees. Any number is right; one that is too small only makes the shares longer.
 */
export const attentionSinkDecodeGrid = (shape: Heads, numTokens: number, maxKeys: number): Grid => [
  shape.numHeads / headsPerWorkgroup(shape),
  decodeSplits(maxKeys),
  numTokens,
];

/** Bytes of the partials of up to `maxTokens` tokens in a pass; layers can share one buffer. */
export const attentionPartialsBytes = ({ numHeads, headDim }: Heads, maxTokens: number): number =>
  maxTokens * numHeads * maxSplits * (4 + headDim) * 4;
