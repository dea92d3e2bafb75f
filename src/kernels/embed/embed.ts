import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/embed/embed.wgsl?raw";
import { bf16, boundPart, step } from "../libraries.ts";

export interface EmbedShape {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Whether `part` says which rows of the table are bound; tokens of others are left to further dispatches. Default: all are. */
  readonly isPart?: boolean;
}

/** Rows of the embedding table. tokens: [T] u32; table: [V, H] bf16, or a part of its rows; out: [T, H] f32; part: `packBoundPart`. */
export const embed = defineKernel({
  id: "embed",
  wgsl,
  libraries: [step, bf16, boundPart],
  bindings: { step: "uniform", tokens: "read", table: "read", out: "read_write", part: "uniform" },
  constants: ({ vocabSize, hiddenSize, isPart }: EmbedShape) => ({
    V: vocabSize,
    IS_WHOLE: isPart !== true,
    H: hiddenSize,
    WG_SIZE: 128,
  }),
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 4),
});

/** One workgroup a token. */
export const embedGrid = (numTokens: number): Grid => [numTokens, 1, 1];
