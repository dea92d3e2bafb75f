import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-bf16-tile.wgsl?raw";
import { bf16, step, tile } from "../libraries.ts";
import { tuning } from "../tuning.ts";

export interface LinearTileShape {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
  readonly addBias: boolean;
  /** Add to what `out` holds (a residual) instead of replacing it. */
  readonly addToOut: boolean;
}

/** Tokens that a workgroup serves; a multiple of 8. */
const { tileTokens, tileThreads } = tuning.linearTile;

/** A linear layer for many tokens. inputs: [T, K]; weight: [N, K] bf16; bias: [N] bf16; out: [T, N]. */
export const linearBf16Tile = defineKernel({
  id: "linear-bf16-tile",
  wgsl,
  libraries: [step, bf16, tile],
  bindings: { step: "uniform", inputs: "read", weight: "read", bias: "read", out: "read_write" },
  constants: ({ inputSize, outputSize, addBias, addToOut }: LinearTileShape) => ({
    K: inputSize,
    TILE_M: tileTokens,
    TILE_THREADS: tileThreads,
    N: outputSize,
    ADD_BIAS: addBias,
    ADD_TO_OUT: addToOut,
  }),
  check: ({ inputSize }) => divisible("input width", inputSize, 8),
});

export const linearTileGrid = (outputSize: number, numTokens: number): Grid => [
  Math.ceil(outputSize / 64),
  Math.ceil(numTokens / tileTokens),
  1,
];
