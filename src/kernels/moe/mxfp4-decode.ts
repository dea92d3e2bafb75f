import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/mxfp4-decode.wgsl?raw";
import { mxfp4 } from "../libraries.ts";

const workgroupSize = 64;
const maxBlocks = 65_535 * workgroupSize;

export interface Mxfp4DecodeShape {
  readonly numBlocks: number;
}

/** Expands MXFP4. blocks: [N, 16] bytes; scales: [N] bytes; values: [N, 32] f32. Not bound to a step. */
export const mxfp4Decode = defineKernel({
  id: "mxfp4-decode",
  wgsl,
  libraries: [mxfp4],
  bindings: { blocks: "read", scales: "read", values: "read_write" },
  constants: ({ numBlocks }: Mxfp4DecodeShape) => ({ NUM_BLOCKS: numBlocks, WG_SIZE: workgroupSize }),
  check: ({ numBlocks }) =>
    numBlocks > 0 && numBlocks <= maxBlocks
      ? []
      : [`number of blocks (${numBlocks}) must be 1..${maxBlocks}`],
});

/** One invocation a block. */
export const mxfp4DecodeGrid = (numBlocks: number): Grid => [Math.ceil(numBlocks / workgroupSize), 1, 1];
