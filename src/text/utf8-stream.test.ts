import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createUtf8Stream } from "./utf8-stream.ts";

function decodeInPieces(bytes: Uint8Array, pieceLength: number): string {
  const stream = createUtf8Stream();
  let text = "";
  for (let i = 0; i < bytes.length; i += pieceLength) text += stream.push(bytes.subarray(i, i + pieceLength));
  return text + stream.flush();
}

const whole = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Bytes near the borders of the encoding, where mistakes live. */
const edgeBytes = [
  0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0,
  0xf1, 0xf4, 0xf5, 0xff,
];

describe("utf8 stream", () => {
  it.each<[string, number[], string[]]>([
    ["waits for the end of a character", [0xf0, 0x9f, 0x92, 0x96], ["", "", "", "💖"]],
    ["replaces a cut character and goes on", [0xf0, 0x9f, 0x48], ["", "", "\uFFFDH"]],
    ["replaces each impossible byte", [0xc0, 0x80], ["\uFFFD", "\uFFFD"]],
    ["replaces a surrogate byte by byte", [0xed, 0xa0, 0x80], ["", "\uFFFD\uFFFD", "\uFFFD"]],
    ["starts a new character where one breaks off", [0xe2, 0xc3, 0xa9], ["", "\uFFFD", "é"]],
    ["keeps a byte order mark", [0xef, 0xbb, 0xbf], ["", "", "\uFEFF"]],
  ])("%s", (_name, bytes, expected) => {
    const stream = createUtf8Stream();
    expect(bytes.map((byte) => stream.push(Uint8Array.of(byte)))).toEqual(expected);
  });

  it("flushes an unfinished character as one replacement, once", () => {
    const stream = createUtf8Stream();
    expect(stream.push(Uint8Array.of(0x20, 0xf0, 0x9f))).toBe(" ");
    expect(stream.flush()).toBe("\uFFFD");
    expect(stream.flush()).toBe("");
    expect(stream.push(Uint8Array.of(0x92))).toBe("\uFFFD");
  });

  it("gives what decoding at once gives, whatever the bytes and the cut", () => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...edgeBytes));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (list, pieceLength) => {
        const bytes = Uint8Array.from(list);
        expect(decodeInPieces(bytes, pieceLength)).toBe(whole(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});
