import type { TileTuning } from "../kernels/tuning.ts";

interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

export interface TileSums {
  readonly inputSize: number;
  /** About how large the sums are. Default 3. */
  readonly size?: number;
  /** How much larger the result's error can be than a sum's. Default 1; behind the activation 8. */
  readonly spread?: number;
}

/**
 * The tolerance of a tile kernel. Subgroup matrices add their own error: tensor cores cut off what of a product lies below
 * the last bit of the sum so far, at most 2^-24 of it at each of 2 K / 16 additions, always in the same direction (of
 * int8 weights 3 K / 16; but sums so far are mostly smaller than the last).
 */
export function tileTolerance(
  { absolute, relative }: Tolerance,
  { products }: TileTuning,
  { inputSize, size = 3, spread = 1 }: TileSums,
): Tolerance {
  if (products === "f32") return { absolute, relative };
  const cut = (inputSize / 8) * 2 ** -24;
  return { absolute: absolute + spread * size * cut, relative: relative + spread * cut };
}
