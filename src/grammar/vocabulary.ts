import { byteCharacters, byteOf } from "../text/byte-level.ts";
import type { Tokenizer } from "../text/types.ts";
import { isTextPiece } from "./utf8-guard.ts";

/**
 * The vocabulary as xgrammar takes it: by id, every text token in the byte-level alphabet. Special tokens, ids without a
 * token and tokens that can be part of no text are empty, which means never allowed.
 */
export function grammarVocabulary(tokenizer: Tokenizer): string[] {
  return Array.from({ length: tokenizer.vocabSize }, (_, id) => {
    const bytes = [...(tokenizer.bytes(id) ?? [])];
    return isTextPiece(bytes) ? bytes.map((byte) => byteCharacters[byte]).join("") : "";
  });
}

/** The bytes of a token of `grammarVocabulary`. */
export const vocabularyBytes = (token: string): number[] =>
  Array.from({ length: token.length }, (_, i) => byteOf(token.charCodeAt(i)));
