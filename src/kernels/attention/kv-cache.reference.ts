import type { KvFormat } from "./kv-cache.ts";

/** The f16 nearest to a number (ties to even), as 16 bits. Beyond f16 it saturates, as the kernels do. */
export function f16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.min(Math.abs(value), 65504);
  if (Number.isNaN(value)) return 0x7e00;
  // The spacing of f16 at this size: 2^-24 among subnormals, else 2^(exponent - 10).
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 1e-30)));
  const steps = roundHalfEven(magnitude / 2 ** (exponent - 10));
  return sign | (steps + ((exponent + 14) << 10));
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The value of f16 bits. */
export function f16Value(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** Numbers as a KV cache of this format would keep them. */
export function roundToKv(values: ArrayLike<number>, format: KvFormat): Float64Array {
  return Float64Array.from(values, (value) =>
    format === "f16" ? f16Value(f16Bits(value)) : Math.fround(value),
  );
}

/** Numbers as the bytes of a KV cache. */
export function packKv(values: ArrayLike<number>, format: KvFormat): Float32Array | Uint16Array {
  return format === "f16" ? Uint16Array.from(values, f16Bits) : Float32Array.from(values);
}

/** The numbers in the bytes of a KV cache. */
export function unpackKv(bytes: ArrayBuffer, format: KvFormat): Float64Array {
  return format === "f16"
    ? Float64Array.from(new Uint16Array(bytes), f16Value)
    : Float64Array.from(new Float32Array(bytes));
}

/**
 * A KV cache after positions 0, 1, ... were written in order: position p lies in slot p % capacity, later ones over
 * earlier ones. history: [positions, K, D]; result: [K, capacity, D], NaN where nothing was written.
 */
export function kvRing(
  history: ArrayLike<number>,
  shape: { readonly numKvHeads: number; readonly headDim: number; readonly capacity: number },
): Float64Array {
  const { numKvHeads, headDim, capacity } = shape;
  const ring = new Float64Array(numKvHeads * capacity * headDim).fill(Number.NaN);
  for (let i = 0; i < history.length; i += 1) {
    const dim = i % headDim;
    const head = Math.floor(i / headDim) % numKvHeads;
    const position = Math.floor(i / (headDim * numKvHeads));
    ring[(head * capacity + (position % capacity)) * headDim + dim] = history[i] ?? Number.NaN;
  }
  return ring;
}
