import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/embed/embed.wgsl?raw";
import { bf16, step } from "../libraries.ts";

export interface EmbedShape {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** The rows of the table that are bound; tokens of others are left to further dispatches. Default: all. */
  readonly part?: { readonly firstRow: number; readonly numRows: number };
}

/** Rows of the embedding table. tokens: [T] u32; table: [V, H] bf16, or a part of its rows; out: [T, H] f32. */
export const embed = defineKernel({
  id: "embed",
  wgsl,
  libraries: [step, bf16],
  bindings: { step: "uniform", tokens: "read", table: "read", out: "read_write" },
  constants: ({ vocabSize, hiddenSize, part }: EmbedShape) => ({
    V: vocabSize,
    FIRST_ROW: part?.firstRow ?? 0,
    NUM_ROWS: part?.numRows ?? vocabSize,
    H: hiddenSize,
    WG_SIZE: 128,
  }),
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 4),
});

/** One workgroup a token. */
export const embedGrid = (numTokens: number): Grid => [numTokens, 1, 1];
