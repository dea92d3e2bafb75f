/** A seeded generator of uniform numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `length` f32 values of a standard normal times `scale`, from a seed. */
export function randomNormal(length: number, seed: number, scale = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from(
    { length },
    () => scale * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** `length` bytes from a seed. */
export function randomBytes(length: number, seed: number, from = 0, to = 256): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => from + Math.floor(random() * (to - from)));
}

const scratch = new DataView(new ArrayBuffer(4));

/** The bf16 nearest to a number, as 16 bits (ties to even). */
export function bf16Bits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The value of bf16 bits. */
export function bf16Value(bits: number): number {
  scratch.setUint32(0, (bits << 16) >>> 0);
  return scratch.getFloat32(0);
}

/** An array stored as bf16: the bits for the GPU and the values they stand for. */
export interface Bf16Array {
  readonly bits: Uint16Array;
  readonly values: Float64Array;
}

/** Rounds numbers to bf16. */
export function toBf16(values: ArrayLike<number>): Bf16Array {
  const bits = Uint16Array.from(values, (value) => bf16Bits(value));
  return { bits, values: Float64Array.from(bits, (b) => bf16Value(b)) };
}

/** Normal random bf16 values from a seed. */
export const randomBf16 = (length: number, seed: number, scale = 1): Bf16Array =>
  toBf16(randomNormal(length, seed, scale));
