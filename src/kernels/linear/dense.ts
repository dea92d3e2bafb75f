import { divisible } from "../../gpu/kernel.ts";

/**
 * How a dense matrix [N, K] lies on the GPU: bf16 as in the checkpoint, or int8 codes with a bf16 scale for each 32 of a
 * row, 8.5 bits a weight (lib/dense-int8.wgsl, `int8Layout`).
 */
export type DenseFormat = "bf16" | "int8";

/** Weights that share a scale. */
export const int8BlockSize = 32;

/** The format of a matrix where `asked` is asked for: rows that are no whole blocks stay bf16. */
export const denseFormat = (asked: DenseFormat, columns: number): DenseFormat =>
  columns % int8BlockSize === 0 ? asked : "bf16";

/** Bytes that a row takes on the GPU, its scales included. */
export const denseRowBytes = (format: DenseFormat, columns: number): number =>
  format === "int8" ? columns + (2 * columns) / int8BlockSize : 2 * columns;

/** Where an int8 matrix of so many weights has its scales, and its bytes; kernels read it in vec4<u32>, so multiples of 16. */
export function int8Layout(numWeights: number): {
  readonly scalesAtBytes: number;
  readonly sizeBytes: number;
} {
  const scalesBytes = (numWeights / int8BlockSize) * 2;
  return { scalesAtBytes: numWeights, sizeBytes: numWeights + Math.ceil(scalesBytes / 16) * 16 };
}

/** Constants of lib/dense-*. */
export const denseConstants = (rows: number, columns: number) => ({
  WEIGHT_ROWS: rows,
  WEIGHT_COLUMNS: columns,
});

/** The rule for the width of a dense matrix. For `check`. */
export const checkDense = (name: string, columns: number, format: DenseFormat): string[] =>
  divisible(name, columns, format === "int8" ? int8BlockSize : 8);
