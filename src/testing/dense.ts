import { type DenseFormat, int8Layout, int8RowGroups } from "../kernels/linear/dense.ts";
import { quantizeInt8Reference } from "../kernels/linear/quantize-int8.reference.ts";
import { bf16Bits, randomBf16 } from "./data.ts";

/** A dense matrix as its bytes on the GPU, and the values they stand for. */
export interface DenseArray {
  readonly stored: Uint16Array | Uint8Array;
  readonly values: Float64Array;
}

export const denseFormats: readonly DenseFormat[] = ["bf16", "int8"];

/** Normal random weights from a seed, stored in a dense format. */
export function randomDense(
  format: DenseFormat,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  seed: number,
  scale = 1,
): DenseArray {
  const { bits, values } = randomBf16(rows * columns, seed, scale);
  if (format === "bf16") return { stored: bits, values };
  const quantized = quantizeInt8Reference(values);
  return { stored: packInt8(quantized.codes, quantized.scales, columns), values: quantized.values };
}

/**
 * Codes and scales of rows of `columns`, in the layout of `int8Layout`: vec4 v of a group of 16 is component v / 4 of the
 * group's element v % 4, and two scales share a word.
 */
export function packInt8(codes: Int8Array, scales: ArrayLike<number>, columns: number): Uint8Array {
  const { scalesAtBytes, sizeBytes } = int8Layout(codes.length / columns, columns);
  const bytes = new Uint8Array(sizeBytes);
  const stored = new Uint16Array(bytes.buffer, scalesAtBytes);
  const rowGroups = int8RowGroups(columns);
  const groupOf = (index: number) =>
    Math.floor(index / columns) * rowGroups + Math.floor((index % columns) / 64);
  for (let index = 0; index < codes.length; index += 1) {
    const inGroup = (index % columns) % 64;
    const v = Math.floor(inGroup / 4);
    bytes[64 * groupOf(index) + 16 * (v % 4) + 4 * Math.floor(v / 4) + (inGroup % 4)] = codes[index] ?? 0;
    if (index % 32 === 0)
      stored[2 * groupOf(index) + Math.floor(inGroup / 32)] = bf16Bits(scales[index / 32] ?? 0);
  }
  return bytes;
}
