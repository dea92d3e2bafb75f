/** What attention works on, in float64 and by position: the reference knows of no cache. */
export interface AttentionInputs {
  /** Queries of T tokens, rotated: [T, Q, D]. */
  readonly q: ArrayLike<number>;
  /** Keys of every position from 0 to the last token's, rotated: [positions, K, D]. */
  readonly keys: ArrayLike<number>;
  /** Values likewise: [positions, K, D]. */
  readonly values: ArrayLike<number>;
  /** One logit per query head: [Q]. */
  readonly sinks: ArrayLike<number>;
  /** Position of the first token. */
  readonly position: number;
}

export interface AttentionHeads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  /** Keys that a token sees, its own included; 0 where it sees all before it. */
  readonly window: number;
}

/** Causal attention with sinks, in float64: softmax over the visible keys and one logit without a value. [T, Q, D]. */
export function attentionSinkReference(inputs: AttentionInputs, heads: AttentionHeads): Float64Array {
  const { numHeads, headDim } = heads;
  const out = new Float64Array(inputs.q.length);
  for (let t = 0; t < inputs.q.length / (numHeads * headDim); t += 1)
    for (let head = 0; head < numHeads; head += 1)
      out.set(attendRow(inputs, heads, t, head), (t * numHeads + head) * headDim);
  return out;
}

function attendRow(inputs: AttentionInputs, heads: AttentionHeads, t: number, head: number): Float64Array {
  const { numHeads, numKvHeads, headDim, window } = heads;
  const kvHead = Math.floor(head / (numHeads / numKvHeads));
  const position = inputs.position + t;
  const first = window === 0 ? 0 : Math.max(0, position - window + 1);
  const scores: number[] = [];
  for (let key = first; key <= position; key += 1) {
    let score = 0;
    for (let d = 0; d < headDim; d += 1)
      score +=
        (inputs.q[(t * numHeads + head) * headDim + d] ?? Number.NaN) *
        (inputs.keys[(key * numKvHeads + kvHead) * headDim + d] ?? Number.NaN);
    scores.push(score / Math.sqrt(headDim));
  }
  const sink = inputs.sinks[head] ?? Number.NaN;
  const largest = scores.reduce((most, score) => Math.max(most, score), sink);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, Math.exp(sink - largest));
  const row = new Float64Array(headDim);
  for (const [i, weight] of weights.entries())
    for (let d = 0; d < headDim; d += 1)
      row[d] =
        (row[d] ?? 0) +
        (weight / total) * (inputs.values[((first + i) * numKvHeads + kvHead) * headDim + d] ?? Number.NaN);
  return row;
}
