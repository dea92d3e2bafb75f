import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-residual-vec.wgsl?raw";
import type { WithActivations } from "../activation-format.ts";
import { checkSums, checkWriters } from "../check-tuning.ts";
import { bf16, denseInputs, denseWeights, reduce, step } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";
import { checkDense, type DenseFormat, denseConstants } from "./dense.ts";

export interface LinearVecShape extends Tuned, WithActivations {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
  readonly dense: DenseFormat;
}

const tuned = (shape: Pick<LinearVecShape, "dense" | "tuning">) =>
  shape.dense === "int8" ? tuningOf(shape).linearVecInt8 : tuningOf(shape).linearVec;

/** A linear layer added to what `out` holds, for few tokens. x: [T, K]; weight: [N, K], see `DenseFormat`; bias: [N] bf16; out: [T, N]. */
export const linearResidualVec = defineKernel({
  id: "linear-residual-vec",
  wgsl,
  libraries: (shape: LinearVecShape) => [step, bf16, ...denseWeights(shape), denseInputs, reduce],
  bindings: { step: "uniform", x: "read", weight: "read", bias: "read", out: "read_write" },
  workgroupSizes: (shape: LinearVecShape) => ({ software: Math.max(8, tuned(shape).rows) }),
  constants: (shape: LinearVecShape) => {
    const { rows, workgroupSize } = tuned(shape);
    return {
      ...denseConstants(shape.outputSize, shape.inputSize),
      K: shape.inputSize,
      N: shape.outputSize,
      ROWS: rows,
      NUM_SUMS: rows,
      WG_SIZE: workgroupSize,
    };
  },
  check: (shape: LinearVecShape) => [
    ...checkDense("input width", shape.inputSize, shape.dense),
    ...checkWriters(tuned(shape)),
    ...checkSums(tuned(shape).rows, tuned(shape).workgroupSize),
  ],
});

export const linearVecGrid = (
  shape: Pick<LinearVecShape, "outputSize" | "dense" | "tuning">,
  numTokens: number,
): Grid => [Math.ceil(shape.outputSize / tuned(shape).rows), numTokens, 1];
