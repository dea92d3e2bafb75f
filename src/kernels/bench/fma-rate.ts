import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/bench/fma-rate.wgsl?raw";

export interface FmaRateShape {
  readonly numRounds: number;
}

/** Invocations of a workgroup. */
export const fmaRateGroupSize = 256;
/** Operations of one invocation in one round: a multiplication and an addition in each lane of eight vec4s. */
export const fmaRateOperations = 64;

/** Multiplies and adds in f32, as fast as the adapter can. input: [2] vec4<f32>; out: [groups * 256] vec4<f32>. */
export const fmaRate = defineKernel({
  id: "fma-rate",
  wgsl,
  libraries: [],
  bindings: { input: "read", out: "read_write" },
  constants: ({ numRounds }: FmaRateShape) => ({ ROUNDS: numRounds, WG_SIZE: fmaRateGroupSize }),
});

export const fmaRateGrid = (numGroups: number): Grid => [numGroups, 1, 1];
