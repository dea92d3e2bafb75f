import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/linear/quantize-int8.wgsl?raw";
import { bf16 } from "../libraries.ts";
import { int8BlockSize } from "./dense.ts";

const workgroupSize = 64;

/**
 * Dense weights from bf16 to int8, a piece of a matrix at a time.
 * piece: see `packInt8Piece`; weights: bf16 as in the matrix; matrix: see `int8Layout`, zeros before.
 */
export const quantizeInt8 = defineKernel({
  id: "quantize-int8",
  wgsl,
  libraries: [bf16],
  bindings: { piece: "uniform", weights: "read", matrix: "read_write" },
  constants: (_shape: Record<string, never>) => ({ WG_SIZE: workgroupSize }),
});

/** Which groups of a matrix a piece has; see `int8PieceUnit`. */
export interface Int8Piece {
  readonly firstGroup: number;
  readonly numGroups: number;
  /** Of a row. */
  readonly columns: number;
  /** See `int8Layout`. */
  readonly scalesAtBytes: number;
}

/** Bytes of the `piece` binding. */
export const int8PieceBytes = 16;

/** The `piece` binding. */
export const packInt8Piece = ({
  firstGroup,
  numGroups,
  columns,
  scalesAtBytes,
}: Int8Piece): Uint32Array<ArrayBuffer> =>
  Uint32Array.of(firstGroup, numGroups, scalesAtBytes / 4, columns / int8BlockSize);

export const quantizeInt8Grid = (numGroups: number): Grid => [Math.ceil(numGroups / workgroupSize), 1, 1];
