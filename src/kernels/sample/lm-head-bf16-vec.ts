import { defineKernel, divisible, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/sample/lm-head-bf16-vec.wgsl?raw";
import { bf16, gumbel, reduce, step } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";

export interface LmHeadShape extends Tuned {
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly eps: number;
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
    return {
      H: shape.hiddenSize,
      V: shape.vocabSize,
      EPS: f32(shape.eps),
      ROWS: rows,
      NUM_SUMS: rows + 1,
      WG_SIZE: workgroupSize,
    };
  },
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 8),
});

/** How many candidates the kernel leaves for a vocabulary. */
export const lmHeadCandidates = (shape: Pick<LmHeadShape, "vocabSize" | "tuning">): number =>
  Math.ceil(shape.vocabSize / tuningOf(shape).lmHead.rows);

export function lmHeadGrid(shape: Pick<LmHeadShape, "vocabSize" | "tuning">): Grid {
  const groups = lmHeadCandidates(shape);
  const y = Math.ceil(groups / maxGroupsPerDimension);
  return [Math.ceil(groups / y), y, 1];
}
