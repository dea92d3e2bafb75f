import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/linear-tile.wgsl?raw";
import { checkTile } from "../check-tuning.ts";
import { bf16, denseTile, denseWeights, step, tileProducts } from "../libraries.ts";
import { type TileKey, type TileTuning, type Tuned, tileConstants, tuningOf } from "../tuning.ts";
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

/** The row of a tuning that has the tiles for weights in a format. */
export const linearTileKey = (dense: DenseFormat): TileKey =>
  dense === "int8" ? "linearTileInt8" : "linearTile";

const tileOf = (shape: Pick<LinearTileShape, "dense" | "tuning">): TileTuning =>
  tuningOf(shape)[linearTileKey(shape.dense)];

/** A linear layer for many tokens. inputs: [T, K]; weight: [N, K], see `DenseFormat`; bias: [N] bf16; out: [T, N]. */
export const linearTile = defineKernel({
  id: "linear-tile",
  wgsl,
  libraries: (shape: LinearTileShape) => [
    ...[step, bf16, ...denseWeights({ dense: shape.dense }), denseTile[shape.dense]],
    ...tileProducts(tileOf(shape), shape.dense),
  ],
  bindings: { step: "uniform", inputs: "read", weight: "read", bias: "read", out: "read_write" },
  constants: (shape: LinearTileShape) => ({
    ...denseConstants(shape.outputSize, shape.inputSize),
    K: shape.inputSize,
    ...tileConstants(tileOf(shape)),
    N: shape.outputSize,
    OUT_FIRST: shape.columns?.first ?? 0,
    OUT_STRIDE: shape.columns?.stride ?? shape.outputSize,
    ADD_BIAS: shape.addBias,
    ADD_TO_OUT: shape.addToOut,
  }),
  check: (shape: LinearTileShape) => [
    ...checkDense("input width", shape.inputSize, shape.dense),
    ...checkTile(linearTileKey(shape.dense), tileOf(shape)),
  ],
});

export const linearTileGrid = (
  shape: Pick<LinearTileShape, "outputSize" | "dense" | "tuning">,
  numTokens: number,
): Grid => {
  const { tileTokens, tileRows } = tileOf(shape);
  return [Math.ceil(shape.outputSize / tileRows), Math.ceil(numTokens / tileTokens), 1];
};
