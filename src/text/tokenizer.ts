import { createBpe } from "./bpe.ts";
import { visitPieces } from "./pre-tokenizer.ts";
import { packTokenBytes } from "./token-bytes.ts";
import { invalid } from "./tokenizer-errors.ts";
import { readTokenizerFile } from "./tokenizer-file.ts";
import type { Tokenizer } from "./types.ts";
import { createUtf8Stream } from "./utf8-stream.ts";

/**
 * The tokenizer of a checkpoint from its parsed tokenizer.json and, for further special tokens,
 * tokenizer_config.json. Neither object is kept or changed, so both can be released afterwards.
 * @throws tokenizer-invalid
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig?: unknown): Tokenizer {
  const file = readTokenizerFile(tokenizerJson, tokenizerConfig);
  // Taken out one by one: a closure over `file` would keep the vocabulary's strings alive.
  const { specials, vocabSize, patterns } = file;
  const tokens = packTokenBytes(file.vocab, vocabSize);
  // Special tokens are not among its tokens: whatever a text spells, it becomes text.
  const encodePiece = createBpe({ tokens, merges: file.merges, ignoreMerges: file.ignoreMerges });
  const specialTexts = new Map(Array.from(specials, ([text, id]) => [id, text]));

  return {
    vocabSize,
    specialTokens: specials,
    encode(text) {
      const ids: number[] = [];
      visitPieces(text, patterns, (piece) => encodePiece(piece, ids));
      return ids;
    },
    special(name) {
      const id = specials.get(name);
      if (id === undefined) throw invalid(`it has no special token ${name}`);
      return id;
    },
    bytes: tokens.bytes,
    specialText: (id) => specialTexts.get(id),
    decode: (ids) => decodeIds(ids, tokens.bytes, specialTexts),
  };
}

function decodeIds(
  ids: readonly number[],
  tokenBytes: (id: number) => Uint8Array | undefined,
  specialTexts: ReadonlyMap<number, string>,
): string {
  const stream = createUtf8Stream();
  let text = "";
  for (const id of ids) {
    const bytes = tokenBytes(id);
    text += bytes === undefined ? stream.flush() + (specialTexts.get(id) ?? "\uFFFD") : stream.push(bytes);
  }
  return text + stream.flush();
}
