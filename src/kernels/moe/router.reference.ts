import { rmsNormReference } from "../norm/rms-norm.reference.ts";

export interface RouterInputs {
  /** [T, H], before the norm. */
  readonly x: ArrayLike<number>;
  /** [H] */
  readonly gain: ArrayLike<number>;
  /** [E, H] */
  readonly router: ArrayLike<number>;
  /** [E] */
  readonly bias: ArrayLike<number>;
  readonly eps: number;
  readonly expertsPerToken: number;
}

export interface Routing {
  /** [T, H], the normed x. */
  readonly normed: Float64Array;
  /** [T, E] */
  readonly logits: Float64Array;
  /** [T, A], by falling logit, ties to the lower id. */
  readonly ids: Uint32Array;
  /** [T, A], softmax over the chosen. */
  readonly weights: Float64Array;
}

/** Logits, choice and weights of the router in float64. */
export function routerReference({ x, gain, router, bias, eps, expertsPerToken }: RouterInputs): Routing {
  const hiddenSize = gain.length;
  const numExperts = bias.length;
  const numTokens = x.length / hiddenSize;
  const normed = rmsNormReference(x, gain, eps);
  const logits = new Float64Array(numTokens * numExperts);
  for (let t = 0; t < numTokens; t += 1) {
    const own = logits.subarray(t * numExperts, (t + 1) * numExperts);
    for (let e = 0; e < numExperts; e += 1) {
      let sum = bias[e] ?? 0;
      for (let h = 0; h < hiddenSize; h += 1)
        sum += (router[e * hiddenSize + h] ?? 0) * (normed[t * hiddenSize + h] ?? 0);
      own[e] = sum;
    }
  }
  return { normed, logits, ...choiceReference(logits, { numExperts, expertsPerToken }) };
}

/** Choice and weights from logits [T, E]. */
export function choiceReference(
  logits: ArrayLike<number>,
  { numExperts, expertsPerToken }: { readonly numExperts: number; readonly expertsPerToken: number },
): Pick<Routing, "ids" | "weights"> {
  const numTokens = logits.length / numExperts;
  const ids = new Uint32Array(numTokens * expertsPerToken);
  const weights = new Float64Array(numTokens * expertsPerToken);
  for (let t = 0; t < numTokens; t += 1) {
    const own = Float64Array.from({ length: numExperts }, (_, e) => logits[t * numExperts + e] ?? Number.NaN);
    const chosen = topExperts(own, expertsPerToken);
    ids.set(chosen, t * expertsPerToken);
    weights.set(softmax(chosen.map((e) => own[e] ?? 0)), t * expertsPerToken);
  }
  return { ids, weights };
}

/** The largest `count` of the logits, falling, ties to the lower index. */
export function topExperts(logits: Float64Array, count: number): number[] {
  return [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b).slice(0, count);
}

function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
