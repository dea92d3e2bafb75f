import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/attention-sink-decode.wgsl?raw";
import { attentionChunk, bf16, step } from "../libraries.ts";
import { type AttentionShape, attentionConstants, checkAttentionShape } from "./attention-shape.ts";
import { kvLibrary } from "./kv-cache.ts";

/** Most workgroups that share the keys of one token and KV head; also the records per head in the partials. */
export const maxSplits = 32;

/** Lanes of a workgroup: fewer where there are many workgroups, so that several fit on a processor with all their registers. */
const workgroupSizes: Readonly<Record<DecodeForm, number>> = { direct: 256, split: 128 };
/** Keys that one workgroup takes alone. Above that, joining shares costs less than the wait for more of them. */
const directKeys = 256;
const splitKeys = 64;

/** Whether one workgroup takes all keys and writes what comes out, or shares of them are left for attention-sink-merge. */
export type DecodeForm = "direct" | "split";

/**
 * Most query heads of a workgroup, at most 4 in the shader: many, so that keys are read once for them all; few, so that
 * more workgroups run.
 */
const mostHeads: Readonly<Record<DecodeForm, number>> = { direct: 1, split: 4 };

type Heads = Pick<AttentionShape, "numHeads" | "numKvHeads" | "headDim">;

export interface AttentionDecodeShape extends AttentionShape {
  /** Decides how many heads a workgroup serves; each is right with any grid. */
  readonly form: DecodeForm;
}

/** Query heads of one KV head that a workgroup serves: the largest divisor of their number that is not above the most. */
function headsPerWorkgroup({
  numHeads,
  numKvHeads,
  form,
}: Heads & Pick<AttentionDecodeShape, "form">): number {
  const group = numHeads / numKvHeads;
  let heads = Math.min(group, mostHeads[form]);
  while (group % heads !== 0) heads -= 1;
  return heads;
}

/**
 * Attention for few tokens. With one split in the grid, out: [T, Q*D] f32, sinks: [Q] bf16 included; with more, partials
 * over shares of the keys ("split-K"): `attentionPartialsBytes`, to be joined by attention-sink-merge.
 * q: [T, Q*D] f32; keys, values: [K, capacity, D] in the KV format.
 */
export const attentionSinkDecode = defineKernel({
  id: "attention-sink-decode",
  wgsl,
  libraries: ({ kvFormat }: AttentionDecodeShape) => [step, bf16, kvLibrary(kvFormat), ...attentionChunk],
  bindings: {
    step: "uniform",
    q: "read",
    keys: "read",
    values: "read",
    sinks: "read",
    partials: "read_write",
    out: "read_write",
  },
  constants: (shape: AttentionDecodeShape) => ({
    ...attentionConstants(shape),
    HEADS: headsPerWorkgroup(shape),
    WG_SIZE: workgroupSizes[shape.form],
    MAX_SPLITS: maxSplits,
  }),
  workgroupSizes: { software: 64 },
  check: checkAttentionShape,
});

/** Workgroups worth sharing `maxKeys` visible keys among: one up to 256 keys, then one for 64, at most `maxSplits`. */
export const decodeSplits = (maxKeys: number): number =>
  maxKeys <= directKeys ? 1 : Math.min(maxSplits, Math.ceil(maxKeys / splitKeys));

/** Which form is the one for `maxKeys` visible keys. */
export const decodeForm = (maxKeys: number): DecodeForm => (decodeSplits(maxKeys) === 1 ? "direct" : "split");

/**
 * One workgroup for some heads of a KV head, a share of the keys, and a token; nothing where the other form is the one
 * for so many keys. `maxKeys`: the most keys that any of the tokens sees. Any number is right; one that is too small only
 * makes the shares longer.
 */
export const attentionSinkDecodeGrid = (
  shape: Heads & Pick<AttentionDecodeShape, "form">,
  numTokens: number,
  maxKeys: number,
): Grid =>
  decodeForm(maxKeys) === shape.form
    ? [shape.numHeads / headsPerWorkgroup(shape), decodeSplits(maxKeys), numTokens]
    : [0, 0, 0];

/** Bytes of the partials of up to `maxTokens` tokens in a pass; layers can share one buffer. */
export const attentionPartialsBytes = ({ numHeads, headDim }: Heads, maxTokens: number): number =>
  maxTokens * numHeads * maxSplits * (4 + headDim) * 4;
