import { byteOf } from "./byte-level.ts";

/** The bytes of every text token, in few large arrays instead of one small one a token. */
export interface TokenBytes {
  /** A token's bytes; `undefined` for ids without text. */
  bytes(id: number): Uint8Array | undefined;
  /** The token that is exactly `buffer[0..length)`; -1 where there is none. */
  find(buffer: Uint8Array, length: number): number;
}

/** `vocab`: tokens in the byte-level alphabet → id, all below `vocabSize`. */
export function packTokenBytes(vocab: ReadonlyMap<string, number>, vocabSize: number): TokenBytes {
  const offsets = new Uint32Array(vocabSize + 1);
  for (const [token, id] of vocab) offsets[id + 1] = token.length;
  for (let id = 0; id < vocabSize; id++) offsets[id + 1] = (offsets[id] ?? 0) + (offsets[id + 1] ?? 0);
  const packed = new Uint8Array(offsets[vocabSize] ?? 0);
  const capacity = 2 ** Math.ceil(Math.log2(2 * vocab.size + 2));
  const mask = capacity - 1;
  // Ids are kept plus one: zero is an empty slot.
  const slots = new Int32Array(capacity);
  for (const [token, id] of vocab) {
    const start = offsets[id] ?? 0;
    for (let i = 0; i < token.length; i++) packed[start + i] = byteOf(token.charCodeAt(i));
    let slot = hash(packed, start, token.length) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = id + 1;
  }

  function equals(id: number, buffer: Uint8Array, length: number): boolean {
    const start = offsets[id] ?? 0;
    if ((offsets[id + 1] ?? 0) - start !== length) return false;
    for (let i = 0; i < length; i++) if (packed[start + i] !== buffer[i]) return false;
    return true;
  }

  return {
    bytes(id) {
      const start = offsets[id];
      const end = offsets[id + 1];
      return start === undefined || end === undefined || start === end
        ? undefined
        : packed.subarray(start, end);
    },
    find(buffer, length) {
      for (let slot = hash(buffer, 0, length) & mask; ; slot = (slot + 1) & mask) {
        const id = (slots[slot] ?? 0) - 1;
        if (id < 0 || equals(id, buffer, length)) return id;
      }
    },
  };
}

/** FNV-1a, its high bits folded in. */
function hash(bytes: Uint8Array, start: number, length: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < start + length; i++) value = Math.imul(value ^ (bytes[i] ?? 0), 0x01000193);
  return value ^ (value >>> 15);
}
