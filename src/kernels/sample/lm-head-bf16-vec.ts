import { defineKernel, divisible, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/sample/lm-head-bf16-vec.wgsl?raw";
import { bf16, gumbel, reduce, step } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";

export interface LmHeadShape extends Tuned {
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly eps: number;
  /** The rows of the weight that are bound: other ids are left to further dispatches. Default: all. */
  readonly part?: { readonly firstRow: number; readonly numRows: number };
}

const maxGroupsPerDimension = 65535;

/**
 * Final norm, logits of the last token, and one sampling candidate a workgroup.
 * x: [T, H] f32; gain: [H] bf16; weight: [V, H] bf16; allowed: bit mask over V; logits: [V] f32;
 * candidates: [lmHeadCandidates(V)] pairs of u32.
 */
export const lmHeadBf16Vec = defineKernel({
  id: "lm-head-bf16-vec",
  wgsl,
  libraries: [step, bf16, gumbel, reduce],
  bindings: {
    step: "uniform",
    x: "read",
    gain: "read",
    weight: "read",
    allowed: "read",
    logits: "read_write",
    candidates: "read_write",
  },
  workgroupSizes: { software: 8 },
  constants: (shape: LmHeadShape) => {
    const { rows, workgroupSize } = tuningOf(shape).lmHead;
    const { firstRow, numRows } = shape.part ?? { firstRow: 0, numRows: shape.vocabSize };
    return {
      H: shape.hiddenSize,
      FIRST_ROW: firstRow,
      END_ROW: firstRow + numRows,
      EPS: f32(shape.eps),
      ROWS: rows,
      NUM_SUMS: rows + 1,
      WG_SIZE: workgroupSize,
    };
  },
  check: (shape) => {
    const { rows } = tuningOf(shape).lmHead;
    const isAligned = (shape.part?.firstRow ?? 0) % rows === 0;
    return [
      ...divisible("hidden size", shape.hiddenSize, 8),
      ...(isAligned ? [] : [`a part of the vocabulary must begin at a multiple of ${rows}`]),
    ];
  },
});

/** How many candidates the kernel leaves for a vocabulary. */
export const lmHeadCandidates = (shape: Pick<LmHeadShape, "vocabSize" | "tuning">): number =>
  Math.ceil(shape.vocabSize / tuningOf(shape).lmHead.rows);

/** Workgroups for the rows that are bound. */
export function lmHeadGrid(shape: Pick<LmHeadShape, "vocabSize" | "tuning" | "part">): Grid {
  const groups = lmHeadCandidates({ ...shape, vocabSize: shape.part?.numRows ?? shape.vocabSize });
  const y = Math.ceil(groups / maxGroupsPerDimension);
  return [Math.ceil(groups / y), y, 1];
}
