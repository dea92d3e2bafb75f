/** Float32 values of little-endian bytes in base64. */
export function floatsOf(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return new Float32Array(bytes.buffer);
}

export interface LogitDifference {
  readonly identical: boolean;
  readonly maxDifference: number;
  /** Positions whose best token is the same. */
  readonly sameBest: number;
  readonly positions: number;
  /** The largest logit: what the difference is small against. */
  readonly largest: number;
}

/** How two sets of logits [T, V] differ. */
export function compareLogits(a: Float32Array, b: Float32Array, positions: number): LogitDifference {
  if (a.length !== b.length) throw new Error(`${a.length} logits and ${b.length}`);
  let maxDifference = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    maxDifference = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(maxDifference, difference);
    largest = Math.max(largest, Math.abs(a[i] ?? 0));
  }
  const width = a.length / positions;
  const best = (values: Float32Array, t: number) => {
    const row = values.subarray(t * width, (t + 1) * width);
    return row.reduce((top, value, i) => (value > (row[top] ?? 0) ? i : top), 0);
  };
  let sameBest = 0;
  for (let t = 0; t < positions; t += 1) if (best(a, t) === best(b, t)) sameBest += 1;
  return { identical: maxDifference === 0, maxDifference, sameBest, positions, largest };
}
