import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/embed/embed.wgsl?raw";
import { bf16, step } from "../libraries.ts";

export interface EmbedShape {
  readonly vocabSize: number;
  readonly hiddenSize: number;
}

/** Rows of the embedding table. tokens: [T] u32; table: [V, H] bf16; out: [T, H] f32. */
export const embed = defineKernel({
  id: "embed",
  wgsl,
  libraries: [step, bf16],
  bindings: { step: "uniform", tokens: "read", table: "read", out: "read_write" },
  constants: ({ vocabSize, hiddenSize }: EmbedShape) => ({ V: vocabSize, H: hiddenSize, WG_SIZE: 128 }),
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 4),
});

/** One workgroup a token. */
export const embedGrid = (numTokens: number): Grid => [numTokens, 1, 1];
