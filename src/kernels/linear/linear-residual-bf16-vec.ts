import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-residual-bf16-vec.wgsl?raw";
import { bf16, reduce, step } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";

export interface LinearVecShape extends Tuned {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
}

/** A linear layer added to what `out` holds, for few tokens. x: [T, K]; weight: [N, K] bf16; bias: [N] bf16; out: [T, N]. */
export const linearResidualBf16Vec = defineKernel({
  id: "linear-residual-bf16-vec",
  wgsl,
  libraries: [step, bf16, reduce],
  bindings: { step: "uniform", x: "read", weight: "read", bias: "read", out: "read_write" },
  workgroupSizes: { software: 8 },
  constants: (shape: LinearVecShape) => {
    const { rows, workgroupSize } = tuningOf(shape).linearVec;
    return { K: shape.inputSize, N: shape.outputSize, ROWS: rows, NUM_SUMS: rows, WG_SIZE: workgroupSize };
  },
  check: ({ inputSize }) => divisible("input width", inputSize, 8),
});

export const linearVecGrid = (
  shape: Pick<LinearVecShape, "outputSize" | "tuning">,
  numTokens: number,
): Grid => [Math.ceil(shape.outputSize / tuningOf(shape).linearVec.rows), numTokens, 1];
