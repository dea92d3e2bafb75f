import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/quantize-int8.wgsl?raw";
import { bf16 } from "../libraries.ts";

const workgroupSize = 64;

/**
 * Dense weights from bf16 to int8, a piece of a matrix at a time.
 * piece: see `packInt8Piece`; weights: [numBlocks, 32] bf16; matrix: see `int8Layout`.
 */
export const quantizeInt8 = defineKernel({
  id: "quantize-int8",
  wgsl,
  libraries: [bf16],
  bindings: { piece: "uniform", weights: "read", matrix: "read_write" },
  constants: (_shape: Record<string, never>) => ({ WG_SIZE: workgroupSize }),
});

/** Which blocks of a matrix a piece has. */
export interface Int8Piece {
  /** Even, since two scales share a word. */
  readonly firstBlock: number;
  /** Odd at the end of the matrix only. */
  readonly numBlocks: number;
  /** See `int8Layout`. */
  readonly scalesAtBytes: number;
}

/** Bytes of the `piece` binding. */
export const int8PieceBytes = 16;

/** The `piece` binding. */
export const packInt8Piece = ({
  firstBlock,
  numBlocks,
  scalesAtBytes,
}: Int8Piece): Uint32Array<ArrayBuffer> => Uint32Array.of(firstBlock, numBlocks, scalesAtBytes / 4, 0);

export const quantizeInt8Grid = (numBlocks: number): Grid => [
  Math.ceil(numBlocks / (2 * workgroupSize)),
  1,
  1,
];
