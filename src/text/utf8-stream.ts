/** Incremental UTF-8 decoder. The same pieces in any cut give the same text. */
export interface Utf8Stream {
  /** Text that is certain after these bytes; an unfinished character waits. */
  push(bytes: Uint8Array): string;
  /** What waits, as U+FFFD, and back to the start state. */
  flush(): string;
  /** False while an unfinished character waits. */
  readonly isWhole: boolean;
}

const REPLACEMENT = "\uFFFD";

/**
 * A decoder that never emits half a character and writes one U+FFFD per maximal invalid subpart.
 * Not TextDecoder: engines differ on the byte order mark and on when they report invalid bytes.
 */
export function createUtf8Stream(): Utf8Stream {
  let codePoint = 0;
  let missing = 0;
  // The next continuation byte's allowed range: narrower after E0, ED, F0 and F4.
  let lower = 0x80;
  let upper = 0xbf;

  function lead(byte: number): string {
    if (byte < 0x80) return String.fromCharCode(byte);
    if (byte < 0xc2 || byte > 0xf4) return REPLACEMENT;
    missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    codePoint = byte & (0x3f >> missing);
    lower = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    upper = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    return "";
  }

  function step(byte: number): string {
    if (missing === 0) return lead(byte);
    if (byte < lower || byte > upper) {
      missing = 0;
      return REPLACEMENT + lead(byte);
    }
    codePoint = (codePoint << 6) | (byte & 0x3f);
    lower = 0x80;
    upper = 0xbf;
    missing -= 1;
    return missing === 0 ? String.fromCodePoint(codePoint) : "";
  }

  return {
    push(bytes) {
      let text = "";
      for (const byte of bytes) text += step(byte);
      return text;
    },
    flush() {
      const text = missing > 0 ? REPLACEMENT : "";
      missing = 0;
      return text;
    },
    get isWhole() {
      return missing === 0;
    },
  };
}
