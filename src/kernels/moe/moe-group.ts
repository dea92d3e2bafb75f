import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/moe-group.wgsl?raw";
import { step } from "../libraries.ts";
import { tuningOf } from "../tuning.ts";
import { type MoeRouteSizes, maxGroupedExperts } from "./moe-tile.ts";

/**
 * Orders a prompt's entries (token * A + slot) by expert, then token, and cuts them into tiles.
 * ids: [T, A] u32; entries: [T * A] u32; offsets: [E + 1] u32; tiles: [moeTileLimit] of four u32: expert, first place
 * in entries, number of entries (0: unused), 0.
 */
export const moeGroup = defineKernel({
  id: "moe-group",
  wgsl,
  libraries: [step],
  bindings: {
    step: "uniform",
    ids: "read",
    entries: "read_write",
    offsets: "read_write",
    tiles: "read_write",
  },
  constants: (shape: MoeRouteSizes) => ({
    E: shape.numExperts,
    A: shape.expertsPerToken,
    TILE_M: tuningOf(shape).moeTile.tileTokens,
  }),
  check: ({ numExperts }) =>
    numExperts >= 1 && numExperts <= maxGroupedExperts
      ? []
      : [`number of experts (${numExperts}) must be 1..${maxGroupedExperts}`],
});

/** One workgroup. */
export const moeGroupGrid: Grid = [1, 1, 1];
