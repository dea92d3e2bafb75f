import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitPatterns, toJavaScript, visitPieces } from "./pre-tokenizer.ts";

const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
const split = (pattern: object) => ({ type: "Split", pattern, behavior: "Isolated", invert: false });

const patternsOf = (...steps: object[]) => splitPatterns({ type: "Sequence", pretokenizers: steps });

function cutBy(patterns: readonly RegExp[], text: string): string[] {
  const found: string[] = [];
  visitPieces(text, patterns, (piece) => found.push(piece));
  return found;
}

const pieces = (text: string, ...steps: object[]): string[] => cutBy(patternsOf(...steps), text);

describe("split patterns", () => {
  it("are cut by in order, with what stands between the matches", () => {
    expect(pieces("ab12cd-3", split({ Regex: "\\d+" }), split({ Regex: "[bc]" }), byteLevel)).toEqual([
      "a",
      "b",
      "12",
      "c",
      "d-",
      "3",
    ]);
  });

  it("can be plain strings", () => {
    expect(pieces("a.*b.c", split({ String: ".*" }), byteLevel)).toEqual(["a", ".*", "b.c"]);
  });

  it("are GPT-2's where the byte level step has its own", () => {
    expect(pieces("I'll go  to 42!", { type: "ByteLevel", add_prefix_space: false })).toEqual([
      "I",
      "'ll",
      " go",
      " ",
      " to",
      " 42",
      "!",
    ]);
  });

  it("leave a text whole where there is none", () => {
    expect(pieces("a b", byteLevel)).toEqual(["a b"]);
    expect(pieces("", byteLevel)).toEqual([]);
  });

  it("lose nothing, empty matches included", { timeout: 30_000 }, () => {
    const patterns = patternsOf(split({ Regex: "a*" }), split({ Regex: "\\s+|\\p{L}(?=\\p{N})" }), byteLevel);
    const property = fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
      const cut = cutBy(patterns, text);
      expect(cut.join("")).toBe(text);
      expect(cut).not.toContain("");
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe("a pattern in JavaScript", () => {
  it.each([
    ["(?i:'s|'Re)x", "(?:'[sS\u017f]|'[rR][eE])x"],
    ["((?i:k(d))e)s", "((?:[kK\u212a]([dD]))e)s"],
    ["[^\\s\\S]\\s", "[^\\p{White_Space}\\P{White_Space}]\\p{White_Space}"],
    ["\\p{Lu}\\r\\n\\d", "\\p{Lu}\\r\\n\\d"],
    ["\\'\\-\\.\\/", "'\\-\\.\\/"],
  ])("%s becomes %s", (pattern, expected) => {
    expect(toJavaScript(pattern)).toBe(expected);
    expect(() => new RegExp(expected.replace("\\-", ""), "u")).not.toThrow();
  });

  it("takes U+0085 for white space and U+FEFF for none", () => {
    const space = new RegExp(`^${toJavaScript("\\s")}$`, "u");
    expect(["\u0085", "\ufeff", " ", "\u3000", "\u200b"].map((text) => space.test(text))).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});
