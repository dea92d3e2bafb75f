import { type DenseFormat, int8Layout } from "../kernels/linear/dense.ts";
import { quantizeInt8Reference } from "../kernels/linear/quantize-int8.reference.ts";
import { bf16Bits, randomBf16 } from "./data.ts";

/** A dense matrix as its bytes on the GPU, and the values they stand for. */
export interface DenseArray {
  readonly stored: Uint16Array | Uint8Array;
  readonly values: Float64Array;
}

export const denseFormats: readonly DenseFormat[] = ["bf16", "int8"];

/** Normal random weights from a seed, stored in a dense format. */
export function randomDense(format: DenseFormat, length: number, seed: number, scale = 1): DenseArray {
  const { bits, values } = randomBf16(length, seed, scale);
  if (format === "bf16") return { stored: bits, values };
  const quantized = quantizeInt8Reference(values);
  return { stored: packInt8(quantized.codes, quantized.scales), values: quantized.values };
}

/** Codes and scales in the layout of `int8Layout`. */
export function packInt8(codes: Int8Array, scales: ArrayLike<number>): Uint8Array {
  const { scalesAtBytes, sizeBytes } = int8Layout(codes.length);
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(new Uint8Array(codes.buffer, codes.byteOffset, codes.length));
  new Uint16Array(bytes.buffer, scalesAtBytes, scales.length).set(Uint16Array.from(scales, bf16Bits));
  return bytes;
}
