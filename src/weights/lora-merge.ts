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
  const { inputs } = factors;
  const endElement = firstElement + bytes.byteLength / 2;
  const change = new Float64Array(inputs);
  const sums = new Float32Array(inputs);
  const bits = new Uint32Array(sums.buffer);
  for (let at = firstElement; at < endElement; ) {
    const row = Math.floor(at / inputs);
    const from = at - row * inputs;
    const to = Math.min(inputs, from + endElement - at);
    rowChange(change, row, from, to, factors);
    const part = bytes.subarray((at - firstElement) * 2, (at - firstElement + to - from) * 2);
    // bf16 is the upper half of an f32. Bytes one by one: tensors may start at odd addresses.
    for (let i = from, p = 0; i < to; i += 1, p += 2)
      bits[i] = ((part[p] ?? 0) << 16) | ((part[p + 1] ?? 0) << 24);
    for (let i = from; i < to; i += 1) sums[i] = (sums[i] ?? 0) + (change[i] ?? 0);
    for (let i = from, p = 0; i < to; i += 1, p += 2) {
      const word = bits[i] ?? 0;
      const rounded = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
      part[p] = rounded & 0xff;
      part[p + 1] = rounded >>> 8;
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
