/** The two factors of one weight's change, as numbers. */
export interface LoraFactors {
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
  readonly rank: number;
  readonly scale: number;
  /** Columns of the weight. */
  readonly inputs: number;
}

/**
 * Adds scale · B·A to elements of a bf16 weight [out, in], in place: `bytes` hold the elements from `firstElement` on, in
 * row order. Products are summed in f64, the sum with the weight is rounded to f32 and then to bf16, ties to even.
 */
export function mergeLora(bytes: Uint8Array, firstElement: number, factors: LoraFactors): void {
  const isAligned = bytes.byteOffset % 2 === 0; // tensors may start at odd bytes of what was read
  const own = isAligned ? bytes : bytes.slice();
  mergeWords(new Uint16Array(own.buffer, own.byteOffset, own.byteLength / 2), firstElement, factors);
  if (!isAligned) bytes.set(own);
}

function mergeWords(words: Uint16Array, firstElement: number, factors: LoraFactors): void {
  const { inputs } = factors;
  const change = new Float64Array(inputs);
  const sums = new Float32Array(inputs);
  const bits = new Uint32Array(sums.buffer);
  for (let at = 0; at < words.length; ) {
    const row = Math.floor((firstElement + at) / inputs);
    const from = firstElement + at - row * inputs;
    const to = Math.min(inputs, from + words.length - at);
    rowChange(change, row, from, to, factors);
    // Three plain loops: one that takes each element through an f32 and back is slower.
    const shift = at - from;
    for (let i = from; i < to; i += 1) bits[i] = (words[shift + i] ?? 0) << 16; // bf16 is the upper half of an f32
    for (let i = from; i < to; i += 1) sums[i] = (sums[i] ?? 0) + (change[i] ?? 0);
    for (let i = from; i < to; i += 1) {
      const word = bits[i] ?? 0;
      words[shift + i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
    at += to - from;
  }
}

/** One row of scale · B·A, columns [from, to). Four ranks at a time: each pass over the row costs a load and a store. */
function rowChange(change: Float64Array, row: number, from: number, to: number, factors: LoraFactors): void {
  const { a, b, rank, scale, inputs } = factors;
  change.fill(0, from, to);
  for (let k = 0; k < rank; k += 4) {
    const factor = (step: number) => (k + step < rank ? scale * (b[row * rank + k + step] ?? 0) : 0);
    const [b0, b1, b2, b3] = [factor(0), factor(1), factor(2), factor(3)];
    const a0 = k * inputs;
    const a1 = Math.min(k + 1, rank - 1) * inputs;
    const a2 = Math.min(k + 2, rank - 1) * inputs;
    const a3 = Math.min(k + 3, rank - 1) * inputs;
    for (let i = from; i < to; i += 1) {
      change[i] =
        (change[i] ?? 0) +
        b0 * (a[a0 + i] ?? 0) +
        b1 * (a[a1 + i] ?? 0) +
        b2 * (a[a2 + i] ?? 0) +
        b3 * (a[a3 + i] ?? 0);
    }
  }
}
