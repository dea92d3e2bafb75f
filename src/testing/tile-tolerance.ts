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
  /** Whether weights are codes times scales that f16 does not hold exactly: int8, not MXFP4. Default false. */
  readonly roundsWeights?: boolean;
}

/**
 * The tolerance of a tile kernel. Subgroup matrices add their own error: tensor cores cut off what of a product lies below
 * the last bit of the sum so far, at most 2^-24 of it at each of 2 K / 16 additions, always in the same direction; and
 * int8 weights are rounded to f16, by up to 2^-12 of each product, as if at random.
 */
export function tileTolerance(
  { absolute, relative }: Tolerance,
  { products }: TileTuning,
  { inputSize, size = 3, spread = 1, roundsWeights = false }: TileSums,
): Tolerance {
  if (products === "f32") return { absolute, relative };
  const cut = (inputSize / 8) * 2 ** -24 + (roundsWeights ? 2 ** -9 : 0);
  return { absolute: absolute + spread * size * cut, relative: relative + spread * cut };
}
