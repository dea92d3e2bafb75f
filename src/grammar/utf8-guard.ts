/** Keeps texts well-formed where a character is spread over several tokens, which the matcher does not see to. */
export interface Utf8Guard {
  reset(): void;
  accept(token: number): void;
  /** Takes out of a mask what would end the character under way in bytes that are none. */
  apply(mask: Uint32Array): void;
}

/** True where the bytes are a whole number of characters, but for an unfinished one at either end. */
export function isTextPiece(bytes: readonly number[]): boolean {
  let at = 0;
  while (at < bytes.length && isContinuation(bytes[at] ?? 0)) at += 1;
  if (at > 3) return false;
  while (at < bytes.length) {
    const length = lengthOf(bytes[at] ?? 0);
    if (length === 0 || !isBegun(bytes.slice(at, at + length))) return false;
    at += length;
  }
  return true;
}

/** `tokens`: bytes by id; a token without bytes never comes. */
export function createUtf8Guard(tokens: readonly (readonly number[])[]): Utf8Guard {
  const continuing = tokens.flatMap((bytes, id) => (isContinuation(bytes[0] ?? 0) ? [id] : []));
  let pending: readonly number[] = [];
  return {
    reset() {
      pending = [];
    },
    accept(token) {
      pending = unfinished([...pending, ...(tokens[token] ?? [])]);
    },
    apply(mask) {
      if (pending.length === 0) return;
      const length = lengthOf(pending[0] ?? 0);
      for (const id of continuing) {
        if (isBegun([...pending, ...(tokens[id] ?? [])].slice(0, length))) continue;
        mask[id >>> 5] = (mask[id >>> 5] ?? 0) & ~(1 << (id & 31));
      }
    },
  };
}

const isContinuation = (byte: number): boolean => byte >= 0x80 && byte < 0xc0;

/** Bytes of a character by its first; 0 where no character begins so. */
function lengthOf(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The bytes of a character that is not complete at the end of some bytes. */
function unfinished(bytes: readonly number[]): readonly number[] {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (!isContinuation(byte)) return lengthOf(byte) > back ? bytes.slice(bytes.length - back) : [];
  }
  return [];
}

/** Second bytes that are too low or too high after some first bytes: overlong forms, surrogates, beyond U+10FFFF. */
const secondBytes: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
};

/**
 * True where these bytes, a first and what follows, begin a character. U+2028 and U+2029 count as none: JavaScript's
 * regular expressions take them for line ends.
 */
function isBegun([first = 0, ...rest]: readonly number[]): boolean {
  if (!rest.every(isContinuation)) return false;
  const [second, third] = rest;
  const [from, to] = secondBytes[first] ?? [0x80, 0xbf];
  if (second !== undefined && (second < from || second > to)) return false;
  return !(first === 0xe2 && second === 0x80 && (third === 0xa8 || third === 0xa9));
}
