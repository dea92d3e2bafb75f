import { defineKernel, divisible, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/router-vec.wgsl?raw";
import { bf16, denseInputs, denseWeights, gainedInputs, interleaved, reduce, step } from "../libraries.ts";
import { denseConstants } from "../linear/dense.ts";
import type { MoeShape } from "./moe-shape.ts";

export type RouterVecShape = Pick<MoeShape, "hiddenSize" | "numExperts" | "eps">;

/**
 * Norm and router for few tokens; moe-gate-up-swiglu-vec chooses. x: [T, H] f32 (not normed); gain: [H], weight: [E, H],
 * bias: [E] bf16; logits: [T, E] f32; normed: [T, H] f32, the normed x, interleaved (lib/interleaved.wgsl).
 */
export const routerVec = defineKernel({
  id: "router-vec",
  wgsl,
  libraries: [step, bf16, ...denseWeights({ dense: "bf16" }), denseInputs, gainedInputs, interleaved, reduce],
  bindings: {
    step: "uniform",
    x: "read",
    gain: "read",
    weight: "read",
    bias: "read",
    logits: "read_write",
    normed: "read_write",
  },
  workgroupSizes: { software: 8 },
  constants: ({ hiddenSize, numExperts, eps }: RouterVecShape) => ({
    ...denseConstants(numExperts, hiddenSize),
    H: hiddenSize,
    E: numExperts,
    EPS: f32(eps),
    NUM_SUMS: 2,
    WG_SIZE: 128,
  }),
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 32),
});

/** A workgroup for each expert, each token. */
export const routerVecGrid = ({ numExperts }: RouterVecShape, numTokens: number): Grid => [
  numExperts,
  numTokens,
  1,
];
