import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/moe-down-vec.wgsl?raw";
import { expertRows } from "../libraries.ts";
import { tuningOf } from "../tuning.ts";
import { checkExperts, checkRows, expertConstants, expertVecLibraries, type MoeShape } from "./moe-shape.ts";

/**
 * Down projection of the chosen experts, bias, weighted sum and residual, for few tokens.
 * hidden: [T, A, F] f32, interleaved (lib/interleaved.wgsl); routes: [T, A] pairs of u32, the expert and its weight's bits;
 * blocks, scales: [E, H, F]; bias: [E, H] bf16; x: [T, H] f32, updated in place.
 */
export const moeDownVec = defineKernel({
  id: "moe-down-vec",
  wgsl,
  libraries: (shape: MoeShape) => [...expertVecLibraries(shape), expertRows],
  bindings: {
    step: "uniform",
    hidden: "read",
    routes: "read",
    blocks: "read",
    scales: "read",
    bias: "read",
    x: "read_write",
    part: "uniform",
  },
  workgroupSizes: { software: 8 },
  constants: (shape: MoeShape) => {
    const { rows, workgroupSize } = tuningOf(shape).downVec;
    return {
      ...expertConstants(shape, shape.expertWidth),
      WG_SIZE: workgroupSize,
      ROWS: rows,
    };
  },
  check: (shape: MoeShape) => [
    ...checkExperts(shape),
    ...checkRows(shape, shape.hiddenSize, tuningOf(shape).downVec),
  ],
});

/** Workgroups for each tile of rows, each token. */
export const moeDownVecGrid = (shape: MoeShape, numTokens: number): Grid => [
  shape.hiddenSize / tuningOf(shape).downVec.rows,
  numTokens,
  1,
];
