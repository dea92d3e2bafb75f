import { defineKernel, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/sample/lm-head-vec.wgsl?raw";
import type { WithActivations } from "../activation-format.ts";
import { checkSums } from "../check-tuning.ts";
import {
  bf16,
  boundPart,
  denseInputs,
  denseWeights,
  gainedInputs,
  gumbel,
  reduce,
  step,
} from "../libraries.ts";
import { checkDense, type DenseFormat, denseConstants } from "../linear/dense.ts";
import { type Tuned, tuningOf } from "../tuning.ts";
import { candidateLayout } from "./candidates.ts";

export interface LmHeadShape extends Tuned, WithActivations {
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly eps: number;
  readonly dense: DenseFormat;
  /** The rows of the weight that are bound: other ids are left to further dispatches. Default: all. */
  readonly part?: { readonly firstRow: number; readonly numRows: number };
}

type CandidateShape = Pick<LmHeadShape, "vocabSize" | "dense" | "tuning">;

const tuned = (shape: CandidateShape) =>
  shape.dense === "int8" ? tuningOf(shape).lmHeadInt8 : tuningOf(shape).lmHead;

const maxGroupsPerDimension = 65535;

/**
 * Final norm, logits of the last token, and one sampling candidate a workgroup.
 * x: [T, H] f32; gain: [H] bf16; weight: [V, H], see `DenseFormat`; allowed: bit mask over V; logits: [V] f32;
 * candidates: as many as lmHeadCandidates says, see `candidateLayout`; part: `packBoundPart` of the shape's.
 */
export const lmHeadVec = defineKernel({
  id: "lm-head-vec",
  wgsl,
  libraries: (shape: LmHeadShape) => [
    ...[step, bf16, ...denseWeights(shape), denseInputs, gainedInputs],
    ...[gumbel, reduce, boundPart],
  ],
  bindings: {
    step: "uniform",
    x: "read",
    gain: "read",
    weight: "read",
    allowed: "read",
    logits: "read_write",
    candidates: "read_write",
    part: "uniform",
  },
  workgroupSizes: { software: 8 },
  constants: (shape: LmHeadShape) => {
    const { rows, workgroupSize } = tuned(shape);
    return {
      ...denseConstants(shape.part?.numRows ?? shape.vocabSize, shape.hiddenSize),
      H: shape.hiddenSize,
      IS_WHOLE: shape.part === undefined,
      EPS: f32(shape.eps),
      ROWS: rows,
      IDS_AT: candidateLayout(lmHeadCandidates(shape)).idsAt,
      NUM_SUMS: rows + 1,
      WG_SIZE: workgroupSize,
    };
  },
  check: (shape) => {
    const { rows, workgroupSize } = tuned(shape);
    const isAligned = (shape.part?.firstRow ?? 0) % rows === 0;
    return [
      ...checkDense("hidden size", shape.hiddenSize, shape.dense),
      ...checkSums(rows + 1, workgroupSize),
      ...(isAligned ? [] : [`a part of the vocabulary must begin at a multiple of ${rows}`]),
    ];
  },
});

/** How many candidates the kernel leaves for a vocabulary. */
export const lmHeadCandidates = (shape: CandidateShape): number =>
  Math.ceil(shape.vocabSize / tuned(shape).rows);

/** Workgroups for the rows that are bound. */
export function lmHeadGrid(shape: CandidateShape & Pick<LmHeadShape, "part">): Grid {
  const groups = lmHeadCandidates({ ...shape, vocabSize: shape.part?.numRows ?? shape.vocabSize });
  const y = Math.ceil(groups / maxGroupsPerDimension);
  return [Math.ceil(groups / y), y, 1];
}
