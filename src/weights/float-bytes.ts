import type { AdapterDType } from "../format/types.ts";

/** Stored numbers as f32, exactly. */
export function floatsOf(dtype: AdapterDType, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case "F32":
      return fill(bytes.byteLength / 4, (i) => view.getFloat32(i * 4, true));
    case "BF16": {
      const values = new Float32Array(bytes.byteLength / 2);
      const bits = new Uint32Array(values.buffer);
      for (let i = 0; i < bits.length; i += 1) bits[i] = view.getUint16(i * 2, true) << 16;
      return values;
    }
    case "F16":
      return fill(bytes.byteLength / 2, (i) => halfValue(view.getUint16(i * 2, true)));
  }
}

function fill(length: number, valueAt: (i: number) => number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 1) values[i] = valueAt(i);
  return values;
}

/** The value of IEEE half precision bits: sign, 5 bits of exponent, 10 of fraction. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
