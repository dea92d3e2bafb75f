import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-bf16-tile.wgsl?raw";
import { bf16, step, tile } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";

export interface LinearTileShape extends Tuned {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
  readonly addBias: boolean;
  /** Add to what `out` holds (a residual) instead of replacing it. */
  readonly addToOut: boolean;
  /** Where the N columns stand in a wider `out`. Default: they are all of it. */
  readonly columns?: { readonly first: number; readonly stride: number };
}

/** A linear layer for many tokens. inputs: [T, K]; weight: [N, K] bf16; bias: [N] bf16; out: [T, N]. */
export const linearBf16Tile = defineKernel({
  id: "linear-bf16-tile",
  wgsl,
  libraries: [step, bf16, tile],
  bindings: { step: "uniform", inputs: "read", weight: "read", bias: "read", out: "read_write" },
  constants: (shape: LinearTileShape) => {
    const { tileTokens, tileThreads } = tuningOf(shape).linearTile;
    return {
      K: shape.inputSize,
      TILE_M: tileTokens,
      TILE_THREADS: tileThreads,
      N: shape.outputSize,
      OUT_FIRST: shape.columns?.first ?? 0,
      OUT_STRIDE: shape.columns?.stride ?? shape.outputSize,
      ADD_BIAS: shape.addBias,
      ADD_TO_OUT: shape.addToOut,
    };
  },
  check: ({ inputSize }) => divisible("input width", inputSize, 8),
});

export const linearTileGrid = (
  shape: Pick<LinearTileShape, "outputSize" | "tuning">,
  numTokens: number,
): Grid => [
  Math.ceil(shape.outputSize / 64),
  Math.ceil(numTokens / tuningOf(shape).linearTile.tileTokens),
  1,
];
