import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/moe-down-tile.wgsl?raw";
import { checkTile } from "../check-tuning.ts";
import { expertTile, tileProducts } from "../libraries.ts";
import { tileConstants, tuningOf } from "../tuning.ts";
import { checkExperts, expertConstants, expertLibraries, type MoeShape } from "./moe-shape.ts";
import { moeTileLimit } from "./moe-tile.ts";

/**
 * Down projection and bias of the chosen experts, not yet weighted, for a prompt grouped by moe-group.
 * inputs: [T, A, F] f32; entries, tiles: from moe-group; blocks, scales: [E, H, F]; bias: [E, H] bf16;
 * expertOut: [T, A, H] f32.
 */
export const moeDownTile = defineKernel({
  id: "moe-down-tile",
  wgsl,
  libraries: (shape: MoeShape) => [
    ...expertLibraries(shape),
    expertTile[shape.expertFormat],
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
    expertOut: "read_write",
    part: "uniform",
  },
  constants: (shape: MoeShape) => ({
    ...expertConstants(shape, shape.expertWidth),
    K: shape.expertWidth,
    ...tileConstants(tuningOf(shape).moeTile),
  }),
  check: (shape: MoeShape) => [...checkExperts(shape), ...checkTile("moeTile", tuningOf(shape).moeTile)],
});

/** Workgroups for each tile of rows, each tile of entries that there may be. */
export const moeDownTileGrid = (shape: MoeShape, numTokens: number): Grid => [
  Math.ceil(shape.hiddenSize / tuningOf(shape).moeTile.tileRows),
  moeTileLimit(shape, numTokens),
  1,
];
