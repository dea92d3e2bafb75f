import { divisible } from "../../gpu/kernel.ts";

/**
 * How a dense matrix [N, K] lies on the GPU: bf16 as in the checkpoint, or int8 codes with a bf16 scale for each 32 of a
 * row, 8.5 bits a weight (lib/dense-int8.wgsl, `int8Layout`), in rows of whole groups of two such blocks.
 */
export type DenseFormat = "bf16" | "int8";

/** Weights that share a scale. */
export const int8BlockSize = 32;

/** Weights that kernels read together: the scales of two blocks share a word. */
export const int8GroupSize = 2 * int8BlockSize;

/** Groups of a row; the second block of the last one may be padding. */
export const int8RowGroups = (columns: number): number => Math.ceil(columns / int8GroupSize);

/** Groups that stand before weight `index` of a matrix: the first of a row, or of a group. */
export const int8GroupsBefore = (columns: number, index: number): number =>
  Math.floor(index / columns) * int8RowGroups(columns) + Math.ceil((index % columns) / int8GroupSize);

/** Where a matrix may be cut to be quantised in pieces: after every so many weights. */
export const int8PieceUnit = (columns: number): number =>
  columns % int8GroupSize === 0 ? int8GroupSize : columns;

/** The format of a matrix where `asked` is asked for: rows that are no whole blocks stay bf16. */
export const denseFormat = (asked: DenseFormat, columns: number): DenseFormat =>
  columns % int8BlockSize === 0 ? asked : "bf16";

/** Bytes that a row takes on the GPU, its scales included. */
export const denseRowBytes = (format: DenseFormat, columns: number): number =>
  format === "int8" ? int8RowGroups(columns) * (int8GroupSize + 4) : 2 * columns;

/** Where an int8 matrix has its scales, and its bytes; kernels read it in vec4<u32>, so multiples of 16. */
export function int8Layout(
  rows: number,
  columns: number,
): { readonly scalesAtBytes: number; readonly sizeBytes: number } {
  const numGroups = rows * int8RowGroups(columns);
  const scalesAtBytes = numGroups * int8GroupSize;
  return { scalesAtBytes, sizeBytes: scalesAtBytes + Math.ceil((4 * numGroups) / 16) * 16 };
}

/** Constants of lib/dense-*. */
export const denseConstants = (rows: number, columns: number) => ({
  WEIGHT_ROWS: rows,
  WEIGHT_COLUMNS: columns,
});

/** The rule for the width of a dense matrix. For `check`. */
export const checkDense = (name: string, columns: number, format: DenseFormat): string[] =>
  divisible(name, columns, format === "int8" ? int8BlockSize : 8);
