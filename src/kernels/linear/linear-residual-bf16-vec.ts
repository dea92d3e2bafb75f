import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-residual-bf16-vec.wgsl?raw";
import { bf16, reduce, step } from "../libraries.ts";
import { tuning } from "../tuning.ts";

export interface LinearVecShape {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
}

const { rows, workgroupSize } = tuning.linearVec;

/** A linear layer added to what `out` holds, for few tokens. x: [T, K]; weight: [N, K] bf16; bias: [N] bf16; out: [T, N]. */
export const linearResidualBf16Vec = defineKernel({
  id: "linear-residual-bf16-vec",
  wgsl,
  libraries: [step, bf16, reduce],
  bindings: { step: "uniform", x: "read", weight: "read", bias: "read", out: "read_write" },
  workgroupSizes: { software: 8 },
  constants: ({ inputSize, outputSize }: LinearVecShape) => ({
    K: inputSize,
    N: outputSize,
    ROWS: rows,
    NUM_SUMS: rows,
    WG_SIZE: workgroupSize,
  }),
  check: ({ inputSize }) => divisible("input width", inputSize, 8),
});

export const linearVecGrid = (outputSize: number, numTokens: number): Grid => [
  Math.ceil(outputSize / rows),
  numTokens,
  1,
];
