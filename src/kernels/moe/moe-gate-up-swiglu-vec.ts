import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/moe-gate-up-swiglu-vec.wgsl?raw";
import { chooseExperts, expertRows, interleaved, orderKey, reduce, swiglu } from "../libraries.ts";
import { tuningOf } from "../tuning.ts";
import { checkExperts, checkRows, expertConstants, expertVecLibraries, type MoeShape } from "./moe-shape.ts";

/**
 * Choice of experts, their gate_up, bias and activation, for few tokens.
 * inputs: [T, H] f32, normed, interleaved (lib/interleaved.wgsl), as is hidden; logits: [T, E] f32; blocks, scales:
 * [E, 2F, H]; bias: [E, 2F] bf16; hidden: [T, A, F] f32; routes: [T, A] pairs of u32, the expert and its weight's bits,
 * by falling logit, ties to the lower expert; the weights are the softmax over the chosen.
 */
export const moeGateUpSwigluVec = defineKernel({
  id: "moe-gate-up-swiglu-vec",
  wgsl,
  libraries: (shape: MoeShape) => [
    ...expertVecLibraries(shape),
    ...[interleaved, swiglu, reduce, orderKey, chooseExperts, expertRows],
  ],
  bindings: {
    step: "uniform",
    inputs: "read",
    logits: "read",
    blocks: "read",
    scales: "read",
    bias: "read",
    hidden: "read_write",
    routes: "read_write",
    part: "uniform",
  },
  workgroupSizes: { software: 8 },
  constants: (shape: MoeShape) => {
    const { rows, workgroupSize } = tuningOf(shape).gateUpVec;
    return {
      ...expertConstants(shape, shape.hiddenSize),
      WG_SIZE: workgroupSize,
      ROWS: rows,
      NUM_SUMS: rows,
    };
  },
  check: (shape: MoeShape) => [
    ...checkExperts(shape),
    ...checkRows(shape, 2 * shape.expertWidth, tuningOf(shape).gateUpVec),
    ...divisible("rows of gates and ups", tuningOf(shape).gateUpVec.rows, 2),
  ],
});

/** Workgroups for each tile of rows, each chosen expert, each token. */
export const moeGateUpSwigluVecGrid = (shape: MoeShape, numTokens: number): Grid => [
  (2 * shape.expertWidth) / tuningOf(shape).gateUpVec.rows,
  shape.expertsPerToken,
  numTokens,
];
