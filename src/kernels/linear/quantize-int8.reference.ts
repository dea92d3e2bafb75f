/** Blocks of 32 weights in int8, in float64. */
export interface Int8Weights {
  readonly codes: Int8Array;
  /** One for each 32 weights. */
  readonly scales: Float64Array;
  /** code * scale. */
  readonly values: Float64Array;
}

/** scale = max |w| / 127 to the nearest of 8 significant bits (bf16); code = w / scale to the nearest, ties to even. */
export function quantizeInt8Reference(weights: ArrayLike<number>): Int8Weights {
  const codes = new Int8Array(weights.length);
  const values = new Float64Array(weights.length);
  const scales = new Float64Array(weights.length / 32);
  for (let block = 0; block < scales.length; block += 1) {
    let greatest = 0;
    for (let i = 0; i < 32; i += 1) greatest = Math.max(greatest, Math.abs(weights[32 * block + i] ?? 0));
    const scale = greatest < 1e-30 ? 0 : toEightBits(greatest / 127);
    scales[block] = scale;
    if (scale === 0) continue;
    for (let i = 32 * block; i < 32 * block + 32; i += 1) {
      codes[i] = roundHalfToEven((weights[i] ?? 0) / scale);
      values[i] = (codes[i] ?? 0) * scale;
    }
  }
  return { codes, scales, values };
}

function toEightBits(value: number): number {
  const unit = 2 ** (Math.floor(Math.log2(value)) - 7);
  return roundHalfToEven(value / unit) * unit;
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
