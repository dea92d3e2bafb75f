import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createUtf8Guard, isTextPiece } from "./utf8-guard.ts";

/** A vocabulary of all single bytes. */
const bytes = Array.from({ length: 256 }, (_, byte) => [byte]);

function allowedAfter(prefix: readonly number[]): number[] {
  const guard = createUtf8Guard(bytes);
  for (const byte of prefix) guard.accept(byte);
  const mask = new Uint32Array(8).fill(0xffffffff);
  guard.apply(mask);
  return bytes.flatMap((_, id) => ((((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1 ? [id] : []));
}

const continuations = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** The matcher itself allows nothing but continuations there. */
const ofThose = (ids: readonly number[]) => ids.filter((id) => id >= 0x80 && id < 0xc0);

describe("the guard", () => {
  it.each<[string, number[], number, number]>([
    ["no overlong form of three bytes", [0xe0], 0xa0, 0xbf],
    ["no surrogate", [0xed], 0x80, 0x9f],
    ["no overlong form of four bytes", [0xf0], 0x90, 0xbf],
    ["nothing beyond U+10FFFF", [0xf4], 0x80, 0x8f],
    ["any other character", [0xe4], 0x80, 0xbf],
    ["any third byte", [0xed, 0x80], 0x80, 0xbf],
  ])("allows %s", (_, prefix, from, to) => {
    expect(ofThose(allowedAfter(prefix))).toEqual(continuations(from, to));
  });

  it("allows no line separators, and leaves other masks alone", () => {
    expect(ofThose(allowedAfter([0xe2, 0x80])).filter((id) => id === 0xa8 || id === 0xa9)).toEqual([]);
    expect(allowedAfter([])).toHaveLength(256);
    expect(allowedAfter([0x61])).toHaveLength(256);
  });

  it("knows pieces of text from bytes that are none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 6 }), fc.nat(8), fc.nat(8), (text, from, length) => {
        fc.pre(!/[\u2028\u2029\ud800-\udfff]/u.test(text));
        const all = [...new TextEncoder().encode(text)];
        expect(isTextPiece(all.slice(from, from + length))).toBe(true);
      }),
    );
    for (const piece of [[0xc0, 0x80], [0xff], [0x61, 0xe4, 0x61], [0x80, 0x80, 0x80, 0x80], [0xed, 0xa0]])
      expect(isTextPiece(piece)).toBe(false);
  });
});
