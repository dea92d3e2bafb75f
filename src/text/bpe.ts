import { createMergeQueue } from "./merge-queue.ts";
import type { TokenBytes } from "./token-bytes.ts";
import { type MergeTable, NO_MERGE } from "./tokenizer-merges.ts";

/** Longest piece merged by looking at all pairs each time; that takes quadratic time, but little of it. */
const SHORT_PIECE_BYTES = 96;

/** Byte-pair encoding of one piece of text: appends its ids to `ids`. */
export type EncodePiece = (piece: string, ids: number[]) => void;

export interface BpeParts {
  readonly tokens: TokenBytes;
  readonly merges: MergeTable;
  /** A piece that is a token as a whole is that token, whatever the merges say. */
  readonly ignoreMerges: boolean;
}

/** An encoder with its working memory, which grows with the longest piece it has met. */
export function createBpe({ tokens, merges, ignoreMerges }: BpeParts): EncodePiece {
  const byteTokens = Int32Array.from({ length: 256 }, (_, byte) => tokens.find(Uint8Array.of(byte), 1));
  let buffer = new Uint8Array(256);
  let parts = new Int32Array(256);
  const ranks = new Int32Array(SHORT_PIECE_BYTES + 1);
  const queue = createMergeQueue();

  function reserve(numBytes: number): void {
    if (buffer.length >= numBytes) return;
    buffer = new Uint8Array(2 * numBytes);
    parts = new Int32Array(2 * numBytes);
  }

  /** Pairs by scan. Leaves the tokens in `parts` and returns their number. */
  function mergeShort(numParts: number): number {
    let count = numParts;
    const rankAt = (i: number): number =>
      i + 1 < count ? merges.rank(parts[i] ?? 0, parts[i + 1] ?? 0) : NO_MERGE;
    for (let i = 0; i < count; i++) ranks[i] = rankAt(i);
    for (;;) {
      let best = 0;
      let lowest = NO_MERGE;
      for (let i = 0; i + 1 < count; i++) {
        const rank = ranks[i] ?? NO_MERGE;
        if (rank < lowest) {
          lowest = rank;
          best = i;
        }
      }
      if (lowest === NO_MERGE) return count;
      parts[best] = merges.merged(lowest);
      parts.copyWithin(best + 1, best + 2, count);
      ranks.copyWithin(best + 1, best + 2, count);
      count -= 1;
      ranks[best] = rankAt(best);
      if (best > 0) ranks[best - 1] = rankAt(best - 1);
    }
  }

  return (piece, ids) => {
    reserve(3 * piece.length);
    const numBytes = writeUtf8(piece, buffer);
    if (ignoreMerges) {
      const whole = tokens.find(buffer, numBytes);
      if (whole >= 0) {
        ids.push(whole);
        return;
      }
    }
    for (let i = 0; i < numBytes; i++) parts[i] = byteTokens[buffer[i] ?? 0] ?? 0;
    const isShort = numBytes <= SHORT_PIECE_BYTES;
    const count = isShort ? mergeShort(numBytes) : queue.merge(parts, numBytes, merges);
    for (let i = 0; i < count; i++) ids.push(parts[i] ?? 0);
  };
}

/** UTF-8 of a text, lone surrogates as U+FFFD; `buffer` has 3 bytes a code unit. Returns the number of bytes. */
function writeUtf8(text: string, buffer: Uint8Array): number {
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      buffer[at++] = code;
      continue;
    }
    if (code < 0x800) {
      buffer[at++] = 0xc0 | (code >> 6);
      buffer[at++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const point = text.codePointAt(i) ?? 0;
      if (point > 0xffff) {
        i += 1;
        buffer[at++] = 0xf0 | (point >> 18);
        buffer[at++] = 0x80 | ((point >> 12) & 0x3f);
        buffer[at++] = 0x80 | ((point >> 6) & 0x3f);
        buffer[at++] = 0x80 | (point & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    buffer[at++] = 0xe0 | (code >> 12);
    buffer[at++] = 0x80 | ((code >> 6) & 0x3f);
    buffer[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}
