import { EngineError } from "../errors.ts";
import { harmonyTokens } from "./harmony-tokens.ts";
import type { Tokenizer } from "./types.ts";

const stopNames = [harmonyTokens.return, harmonyTokens.call, harmonyTokens.endOfText];

/** Specials a model may write: those of the harmony grammar, and the end of text. */
const samplableNames = Object.values(harmonyTokens);

/** Ids that end an assistant's turn: return, call and end-of-text, as far as the tokenizer has them. */
export function assistantStopTokens(tokenizer: Tokenizer): number[] {
  return stopNames.flatMap((name) => tokenizer.specialTokens.get(name) ?? []);
}

/**
 * Bit mask over the logits: bit `id % 32` of word `id / 32` is set where the id may be sampled.
 * Text tokens and harmony's own specials may; reserved, padding and unknown ids may not.
 * `vocabSize`: rows of the logits. Length: ceil(vocabSize / 32).
 * @throws request-invalid where `vocabSize` is not a positive integer
 */
export function samplableTokens(tokenizer: Tokenizer, vocabSize: number): Uint32Array<ArrayBuffer> {
  if (!Number.isInteger(vocabSize) || vocabSize < 1) {
    throw new EngineError(
      "request-invalid",
      `The vocabulary size must be a positive integer, got ${vocabSize}.`,
    );
  }
  const specials = samplableNames.flatMap((name) => tokenizer.specialTokens.get(name) ?? []);
  return textMask(tokenizer, vocabSize, specials);
}

/** The same with text tokens and these ids only. */
export function textMask(
  tokenizer: Tokenizer,
  vocabSize: number,
  specials: readonly number[],
): Uint32Array<ArrayBuffer> {
  const mask = new Uint32Array(Math.ceil(vocabSize / 32));
  const allow = (id: number): void => {
    if (id < vocabSize) mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31));
  };
  for (let id = 0; id < tokenizer.vocabSize; id++) if (tokenizer.bytes(id) !== undefined) allow(id);
  specials.forEach(allow);
  return mask;
}
