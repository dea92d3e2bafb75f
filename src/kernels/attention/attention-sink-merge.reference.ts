/** One share of a head's keys: m = the largest score, l = the sum of exp(score - m), and the values summed likewise. */
export interface AttentionPartial {
  readonly largest: number;
  readonly weightSum: number;
  /** [D]. */
  readonly sum: ArrayLike<number>;
}

/** Attention's output for one head [D] from shares of its keys and the head's sink, in float64. */
export function attentionSinkMergeReference(
  partials: readonly AttentionPartial[],
  sink: number,
): Float64Array {
  const top = partials.reduce((most, { largest }) => Math.max(most, largest), sink);
  const total = partials.reduce(
    (sum, { largest, weightSum }) => sum + weightSum * Math.exp(largest - top),
    Math.exp(sink - top),
  );
  return Float64Array.from(
    { length: partials[0]?.sum.length ?? 0 },
    (_, d) =>
      partials.reduce((sum, partial) => sum + Math.exp(partial.largest - top) * (partial.sum[d] ?? 0), 0) /
      total,
  );
}
