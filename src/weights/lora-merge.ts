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

/** Rows whose change is computed together: A is read once for all of them. */
const blockRows = 4;

function mergeWords(words: Uint16Array, firstElement: number, factors: LoraFactors): void {
  const { inputs } = factors;
  const change = new Float64Array(blockRows * inputs);
  const sums = new Float32Array(inputs);
  const endElement = firstElement + words.length;
  for (let row = Math.floor(firstElement / inputs); row * inputs < endElement; row += blockRows) {
    changeOfRows(change, row, factors);
    for (let i = 0; i < blockRows; i += 1) {
      const start = (row + i) * inputs;
      const from = Math.max(start, firstElement);
      const to = Math.min(start + inputs, endElement);
      if (from >= to) continue;
      const part = words.subarray(from - firstElement, to - firstElement);
      addRounded(part, change.subarray(i * inputs + from - start, i * inputs + to - start), sums);
    }
  }
}

/** Adds to bf16 numbers. Three plain loops: one that takes each element through an f32 and back is slower. */
function addRounded(words: Uint16Array, change: Float64Array, sums: Float32Array): void {
  const bits = new Int32Array(sums.buffer); // signed: V8 computes unsigned ones above 2^31 as doubles
  const { length } = words;
  for (let i = 0; i < length; i += 1) bits[i] = (words[i] ?? 0) << 16; // bf16 is the upper half of an f32
  for (let i = 0; i < length; i += 1) sums[i] = (sums[i] ?? 0) + (change[i] ?? 0);
  for (let i = 0; i < length; i += 1) {
    const word = bits[i] ?? 0;
    words[i] = (word + (0x7fff + ((word >>> 16) & 1))) >>> 16;
  }
}

/** scale · B·A for `blockRows` rows from `row` on, two ranks at a time; rows beyond the weight get 0. */
function changeOfRows(change: Float64Array, row: number, { a, b, rank, scale, inputs }: LoraFactors): void {
  change.fill(0);
  const rowAt = (i: number) => change.subarray(i * inputs, (i + 1) * inputs);
  const [c0, c1, c2, c3] = [rowAt(0), rowAt(1), rowAt(2), rowAt(3)] as const;
  for (let k = 0; k < rank; k += 2) {
    const low = a.subarray(k * inputs, (k + 1) * inputs);
    const high = k + 1 < rank ? a.subarray((k + 1) * inputs, (k + 2) * inputs) : low;
    const factor = (i: number, step: number) =>
      k + step < rank ? scale * (b[(row + i) * rank + k + step] ?? 0) : 0;
    const [p0, p1, p2, p3] = [factor(0, 0), factor(1, 0), factor(2, 0), factor(3, 0)];
    const [q0, q1, q2, q3] = [factor(0, 1), factor(1, 1), factor(2, 1), factor(3, 1)];
    for (let i = 0; i < inputs; i += 1) {
      const x = low[i] ?? 0;
      const y = high[i] ?? 0;
      c0[i] = (c0[i] ?? 0) + p0 * x + q0 * y;
      c1[i] = (c1[i] ?? 0) + p1 * x + q1 * y;
      c2[i] = (c2[i] ?? 0) + p2 * x + q2 * y;
      c3[i] = (c3[i] ?? 0) + p3 * x + q3 * y;
    }
  }
}
