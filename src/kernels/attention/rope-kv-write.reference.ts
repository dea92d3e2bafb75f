/** Heads of a fused q, k, v row. */
export interface QkvHeads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

/** Queries [T, Q*D] and keys [T, K*D] rotated, values [T, K*D] as they were; float64. */
export interface RotatedQkv {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/**
 * Splits qkv [T, (Q+2K)*D] into heads and rotates q and k by half-split pairs: dim i turns with dim i + D/2 by the
 * angle of (position + t, i). rope: [positions, D/2, 2] of (cos, sin).
 */
export function ropeKvWriteReference(
  qkv: ArrayLike<number>,
  rope: ArrayLike<number>,
  position: number,
  { numHeads, numKvHeads, headDim }: QkvHeads,
): RotatedQkv {
  const rowLength = (numHeads + 2 * numKvHeads) * headDim;
  const q: number[] = [];
  const k: number[] = [];
  const v: number[] = [];
  for (let t = 0; t < qkv.length / rowLength; t += 1) {
    for (let head = 0; head < numHeads + 2 * numKvHeads; head += 1) {
      const start = t * rowLength + head * headDim;
      const x = Array.from({ length: headDim }, (_, d) => qkv[start + d] ?? Number.NaN);
      if (head < numHeads) q.push(...rotate(x, rope, position + t));
      else if (head < numHeads + numKvHeads) k.push(...rotate(x, rope, position + t));
      else v.push(...x);
    }
  }
  return { q: Float64Array.from(q), k: Float64Array.from(k), v: Float64Array.from(v) };
}

function rotate(x: readonly number[], rope: ArrayLike<number>, position: number): number[] {
  const half = x.length / 2;
  return x.map((value, d) => {
    const pair = d % half;
    const cos = rope[(position * half + pair) * 2] ?? Number.NaN;
    const sin = rope[(position * half + pair) * 2 + 1] ?? Number.NaN;
    return d < half ? value * cos - (x[d + half] ?? 0) * sin : value * cos + (x[d - half] ?? 0) * sin;
  });
}
