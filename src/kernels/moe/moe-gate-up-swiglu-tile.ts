import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/moe-gate-up-swiglu-tile.wgsl?raw";
import { checkTile } from "../check-tuning.ts";
import { expertTile, swiglu, tileProducts } from "../libraries.ts";
import { tileConstants, tuningOf } from "../tuning.ts";
import { checkExperts, expertConstants, expertLibraries, type MoeShape } from "./moe-shape.ts";
import { moeTileLimit } from "./moe-tile.ts";

/**
 * gate_up of the chosen experts, bias and activation, for a prompt grouped by moe-group.
 * inputs: [T, H] f32, normed; entries, tiles: from moe-group; blocks, scales: [E, 2F, H]; bias: [E, 2F] bf16;
 * hidden: [T, A, F] f32.
 */
export const moeGateUpSwigluTile = defineKernel({
  id: "moe-gate-up-swiglu-tile",
  wgsl,
  libraries: (shape: MoeShape) => [
    ...expertLibraries(shape),
    expertTile[shape.expertFormat],
    swiglu,
    ...tileProducts(tuningOf(shape).moeTile, shape.expertFormat),
  ],
  bindings: {
    step: "uniform",
    inputs: "read",
    entries: "read",
    tiles: "read",
    blocks: "read",
    scales: "read",
    bias: "read",
    hidden: "read_write",
    part: "uniform",
  },
  constants: (shape: MoeShape) => ({
    ...expertConstants(shape, shape.hiddenSize),
    K: shape.hiddenSize,
    ...tileConstants(tuningOf(shape).moeTile),
  }),
  check: (shape: MoeShape) => [...checkExperts(shape), ...checkTile("moeTile", tuningOf(shape).moeTile)],
});

/** Workgroups for each tile of rows, each tile of entries that there may be. */
export const moeGateUpSwigluTileGrid = (shape: MoeShape, numTokens: number): Grid => [
  Math.ceil((2 * shape.expertWidth) / tuningOf(shape).moeTile.tileRows),
  moeTileLimit(shape, numTokens),
  1,
];
