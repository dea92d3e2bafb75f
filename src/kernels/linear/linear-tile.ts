import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-tile.wgsl?raw";
import { bf16, denseTile, denseWeights, step, tile } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";
import { checkDense, type DenseFormat, denseConstants } from "./dense.ts";

export interface LinearTileShape extends Tuned {
  /** K, contraction width. */
  readonly inputSize: number;
  /** N, rows of the weight. */
  readonly outputSize: number;
  readonly dense: DenseFormat;
  readonly addBias: boolean;
  /** Add to what `out` holds (a residual) instead of replacing it. */
  readonly addToOut: boolean;
  /** Where the N columns stand in a wider `out`. Default: they are all of it. */
  readonly columns?: { readonly first: number; readonly stride: number };
}

/** A linear layer for many tokens. inputs: [T, K]; weight: [N, K], see `DenseFormat`; bias: [N] bf16; out: [T, N]. */
export const linearTile = defineKernel({
  id: "linear-tile",
  wgsl,
  libraries: ({ dense }: LinearTileShape) => [step, bf16, denseWeights[dense], denseTile[dense], tile],
  bindings: { step: "uniform", inputs: "read", weight: "read", bias: "read", out: "read_write" },
  constants: (shape: LinearTileShape) => {
    const { tileTokens, tileThreads } = tuningOf(shape).linearTile;
    return {
      ...denseConstants(shape.outputSize, shape.inputSize),
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
  check: ({ inputSize, dense }) => checkDense("input width", inputSize, dense),
});

export const linearTileGrid = (
  shape: Pick<LinearTileShape, "outputSize" | "tuning">,
  numTokens: number,
): Grid => [
  Math.ceil(shape.outputSize / 64),
  Math.ceil(numTokens / tuningOf(shape).linearTile.tileTokens),
  1,
];
