import { defineKernel, divisible, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/norm/rms-norm.wgsl?raw";
import { bf16, reduce, step } from "../libraries.ts";

export interface RmsNormShape {
  readonly hiddenSize: number;
  readonly eps: number;
}

/** Root-mean-square norm. x, out: [T, H] f32; gain: [H] bf16. */
export const rmsNorm = defineKernel({
  id: "rms-norm",
  wgsl,
  libraries: [step, bf16, reduce],
  bindings: { step: "uniform", x: "read", gain: "read", out: "read_write" },
  workgroupSizes: { software: 8 },
  constants: ({ hiddenSize, eps }: RmsNormShape) => ({
    H: hiddenSize,
    EPS: f32(eps),
    WG_SIZE: 256,
    NUM_SUMS: 1,
  }),
  check: ({ hiddenSize }) => divisible("hidden size", hiddenSize, 4),
});

/** One workgroup a token. */
export const rmsNormGrid = (numTokens: number): Grid => [numTokens, 1, 1];
