/** The byte-level alphabet of GPT-2 vocabularies: every byte has one printable character. */

/** Character of each byte, index 0..255. */
export const byteCharacters: readonly string[] = buildAlphabet();

const byteOfCodeUnit = invert(byteCharacters);

/** Byte of one alphabet character by its UTF-16 code unit; -1 outside the alphabet. */
export function byteOf(codeUnit: number): number {
  return byteOfCodeUnit[codeUnit] ?? -1;
}

/** Printable Latin-1 bytes stand for themselves; the others take U+0100 and up, in byte order. */
function buildAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function invert(characters: readonly string[]): Int16Array {
  const highest = Math.max(...characters.map((character) => character.charCodeAt(0)));
  const table = new Int16Array(highest + 1).fill(-1);
  characters.forEach((character, byte) => {
    table[character.charCodeAt(0)] = byte;
  });
  return table;
}
