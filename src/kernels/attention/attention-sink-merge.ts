import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/attention-sink-merge.wgsl?raw";
import { bf16, step } from "../libraries.ts";
import { decodeForm, maxSplits } from "./attention-sink-decode.ts";

export interface AttentionMergeShape {
  readonly numHeads: number;
  readonly headDim: number;
}

/** Joins the partials of attention-sink-decode. sinks: [Q] bf16; out: [T, Q*D] f32. */
export const attentionSinkMerge = defineKernel({
  id: "attention-sink-merge",
  wgsl,
  libraries: [step, bf16],
  bindings: { step: "uniform", partials: "read", sinks: "read", out: "read_write" },
  constants: ({ numHeads, headDim }: AttentionMergeShape) => ({
    Q: numHeads,
    D: headDim,
    WG_SIZE: 256,
    MAX_SPLITS: maxSplits,
  }),
  check: ({ headDim }) => [
    ...divisible("head dim", headDim, 4),
    ...(headDim > 512 ? [`head dim (${headDim}) must be at most 512`] : []),
  ],
});

/** One workgroup for a query head and a token; nothing where attention-sink-decode leaves nothing to join. */
export const attentionSinkMergeGrid = (
  { numHeads }: AttentionMergeShape,
  numTokens: number,
  maxKeys: number,
): Grid => (decodeForm(maxKeys) === "split" ? [numHeads, numTokens, 1] : [0, 0, 0]);
