import { EngineError } from "../errors.ts";
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
      try {
        visitPieces(text, patterns, (piece) => encodePiece(piece, ids));
      } catch (cause) {
        throw isStackFull(cause) ? tooLong(text, cause) : cause;
      }
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

/** A RangeError, or Firefox's InternalError. */
function isStackFull(error: unknown): boolean {
  return error instanceof Error && (error.name === "RangeError" || error.name === "InternalError");
}

/** Engines give the matching of a pattern a bounded stack; a few million letters in a row exhaust it. */
function tooLong(text: string, cause: unknown): EngineError {
  return new EngineError(
    "request-invalid",
    `Cannot encode a text of ${text.length} characters: a run in it is too long to be cut into words. Break it up by spaces or line ends.`,
    { cause },
  );
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
