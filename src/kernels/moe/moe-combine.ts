import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/moe-combine.wgsl?raw";
import { step } from "../libraries.ts";

const workgroupSize = 64;

export interface MoeCombineShape {
  readonly hiddenSize: number;
  readonly expertsPerToken: number;
}

/** Weighted sum of the chosen experts, and residual. weights: [T, A]; expertOut: [T, A, H]; x: [T, H], in place; all f32. */
export const moeCombine = defineKernel({
  id: "moe-combine",
  wgsl,
  libraries: [step],
  bindings: { step: "uniform", weights: "read", expertOut: "read", x: "read_write" },
  constants: ({ hiddenSize, expertsPerToken }: MoeCombineShape) => ({
    H: hiddenSize,
    A: expertsPerToken,
    WG_SIZE: workgroupSize,
  }),
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 4),
});

/** Workgroups along H, each token. */
export const moeCombineGrid = ({ hiddenSize }: MoeCombineShape, numTokens: number): Grid => [
  Math.ceil(hiddenSize / 4 / workgroupSize),
  numTokens,
  1,
];
