import type { Direction, TokenMask } from "./guide.ts";

/** One of several token sequences, none the beginning of another, of which the model picks one. */
export interface TokenChoice<T> {
  direction(): Direction;
  /** Takes a token of the answer; the value of the sequence it completes, if it does. */
  accept(token: number): T | undefined;
}

/** @param options at least one. `vocabSize`: rows of the logits. */
export function createTokenChoice<T>(
  options: readonly { readonly tokens: readonly number[]; readonly value: T }[],
  vocabSize: number,
): TokenChoice<T> {
  let left = options;
  let at = 0;
  return {
    direction() {
      const common = commonTokens(left.map(({ tokens }) => tokens.slice(at)));
      if (common.length > 0) return { kind: "forced", tokens: common };
      const mask: TokenMask = new Uint32Array(Math.ceil(vocabSize / 32));
      for (const { tokens } of left) {
        const id = tokens[at] ?? 0;
        mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31));
      }
      return { kind: "next", mask };
    },
    accept(token) {
      left = left.filter(({ tokens }) => tokens[at] === token);
      at += 1;
      const [only, ...others] = left;
      return others.length === 0 && only?.tokens.length === at ? only.value : undefined;
    },
  };
}

function commonTokens(sequences: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = sequences;
  const end = first.findIndex((token, i) => others.some((other) => other[i] !== token));
  return first.slice(0, end < 0 ? first.length : end);
}
