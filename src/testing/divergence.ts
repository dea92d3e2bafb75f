/** What a position's logits [V] say, and how far others at the same position are from them. */
export interface LogitsChange {
  /** KL(wanted || got) of the softmax, in nats. */
  readonly divergence: number;
  /** How far the second best of `wanted` is behind its best. */
  readonly margin: number;
  /** Both have the same best id. */
  readonly isSame: boolean;
}

/** Compares logits [T, V] position by position, in float64. */
export function compareLogits(
  wanted: ArrayLike<number>,
  got: ArrayLike<number>,
  numTokens: number,
): LogitsChange[] {
  const vocabSize = wanted.length / numTokens;
  return Array.from({ length: numTokens }, (_, t) => {
    const rowOf = (logits: ArrayLike<number>) =>
      Float64Array.from({ length: vocabSize }, (_, id) => logits[t * vocabSize + id] ?? Number.NaN);
    const [p, q] = [rowOf(wanted), rowOf(got)];
    const [best = 0, second = 0] = Float64Array.from(p).sort().reverse();
    return {
      divergence: divergence(p, q),
      margin: best - second,
      isSame: p.indexOf(best) === q.indexOf(q.reduce((a, b) => Math.max(a, b))),
    };
  });
}

function divergence(p: Float64Array, q: Float64Array): number {
  const [pSum, qSum] = [logSumExp(p), logSumExp(q)];
  return p.reduce(
    (sum, logit, id) => sum + Math.exp(logit - pSum) * (logit - pSum - (q[id] ?? Number.NaN) + qSum),
    0,
  );
}

function logSumExp(logits: Float64Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}
