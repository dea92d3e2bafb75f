import type { WithActivations } from "../activation-format.ts";
import { denseGroups, quantizeActivationsReference } from "../int8-activations.reference.ts";
import { linearReference } from "../linear/linear.reference.ts";
import { rmsNormReference } from "../norm/rms-norm.reference.ts";

/** Logits [V] of one token. x, gain: [H]; weight: [V, H]. */
export function lmHeadReference(
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  weight: ArrayLike<number>,
  { eps, activations }: { readonly eps: number } & WithActivations,
): Float64Array {
  const width = gain.length;
  const normed = rmsNormReference(x, gain, eps);
  const taken = activations === "int8" ? quantizeActivationsReference(normed, width, denseGroups) : normed;
  return linearReference(taken, weight, width);
}

function pcg(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** Standard Gumbel noise of draw number `draw` for id `index`, in float64 from the same integer hash as the kernel. */
export function gumbelReference(seed: number, draw: number, index: number): number {
  const v = (pcg((index ^ pcg((draw ^ pcg(seed)) >>> 0)) >>> 0) + 0.5) / 2 ** 32;
  return -Math.log(-Math.log1p(-v));
}

/** Scores whose argmax is the next token: logits at temperature 0, else logits / temperature + noise; masked ids are -Infinity. */
export function scoresReference(
  logits: ArrayLike<number>,
  options: {
    readonly temperature: number;
    readonly seed: number;
    readonly draw: number;
    readonly allowed: (id: number) => boolean;
  },
): Float64Array {
  const { temperature, seed, draw, allowed } = options;
  return Float64Array.from({ length: logits.length }, (_, id) => {
    if (!allowed(id)) return Number.NEGATIVE_INFINITY;
    const logit = logits[id] ?? Number.NaN;
    return temperature > 0 ? logit / temperature + gumbelReference(seed, draw, id) : logit;
  });
}

/** Index of the largest score, the lowest on ties. */
export function argmaxReference(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i += 1) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return best;
}
