import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-bf16-tile.wgsl?raw";
import { bf16, step } from "../libraries.ts";

export interface LinearTileShape {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
  readonly addBias: boolean;
  /** Add to what `out` holds (a residual) instead of replacing it. */
  readonly addToOut: boolean;
}

/** A linear layer for many tokens. x: [T, K]; weight: [N, K] bf16; bias: [N] bf16; out: [T, N]. */
export const linearBf16Tile = defineKernel({
  id: "linear-bf16-tile",
  wgsl,
  libraries: [step, bf16],
  bindings: { step: "uniform", x: "read", weight: "read", bias: "read", out: "read_write" },
  constants: ({ inputSize, outputSize, addBias, addToOut }: LinearTileShape) => ({
    K: inputSize,
    N: outputSize,
    ADD_BIAS: addBias,
    ADD_TO_OUT: addToOut,
  }),
  check: ({ inputSize }) => divisible("input width", inputSize, 2),
});

export const linearTileGrid = (outputSize: number, numTokens: number): Grid => [
  Math.ceil(outputSize / 64),
  Math.ceil(numTokens / 64),
  1,
];
