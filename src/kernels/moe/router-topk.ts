import { defineKernel, divisible, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/router-topk.wgsl?raw";
import { bf16, step } from "../libraries.ts";

const maxExperts = 256;

export interface RouterShape {
  readonly hiddenSize: number;
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly eps: number;
}

/**
 * Norm, router and choice of experts for many tokens. x: [T, H] f32 (not normed); gain: [H], router: [E, H], bias: [E] bf16;
 * ids: [T, A] u32 by falling logit, ties to the lower id; weights: [T, A] f32, softmax over the chosen;
 * normed: [T, H] f32, the normed x.
 */
export const routerTopk = defineKernel({
  id: "router-topk",
  wgsl,
  libraries: [step, bf16],
  bindings: {
    step: "uniform",
    x: "read",
    gain: "read",
    router: "read",
    bias: "read",
    ids: "read_write",
    weights: "read_write",
    normed: "read_write",
  },
  workgroupSizes: { large: 1024 },
  constants: ({ hiddenSize, numExperts, expertsPerToken, eps }: RouterShape) => ({
    H: hiddenSize,
    E: numExperts,
    A: expertsPerToken,
    EPS: f32(eps),
    WG_SIZE: 256,
  }),
  check: ({ hiddenSize, numExperts, expertsPerToken }) => [
    ...divisible("hidden size", hiddenSize, 8),
    ...(numExperts <= maxExperts ? [] : [`number of experts (${numExperts}) must be at most ${maxExperts}`]),
    ...(expertsPerToken >= 1 && expertsPerToken <= numExperts
      ? []
      : [`experts per token (${expertsPerToken}) must be 1..${numExperts}`]),
  ],
});

/** One workgroup a token. */
export const routerTopkGrid = (numTokens: number): Grid => [numTokens, 1, 1];
