// The published tokenizer against three independent encoders of the same vocabulary, and the speed of both its uses.
import { readdirSync, readFileSync } from "node:fs";
import { encode as gptTokenizerEncode } from "gpt-tokenizer/encoding/o200k_base";
import { getEncoding } from "js-tiktoken";
import { get_encoding } from "tiktoken";
import { describe, expect, it } from "vitest";
import { createRealTokenizer } from "./real.fixture.ts";
import { createUtf8Stream } from "./utf8-stream.ts";

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const loadStart = cpuMs();
const tokenizer = createRealTokenizer();
const loadMs = cpuMs() - loadStart;

const tiktoken = get_encoding("o200k_base");
const jsTiktoken = getEncoding("o200k_base");
const oracle = (text: string): Uint32Array => tiktoken.encode(text, [], []);
const differs = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length !== b.length || Array.prototype.some.call(a, (id, index) => id !== b[index]);

/** Known faults: JavaScript's white space has U+FEFF and lacks U+0085, contractions lack ſ, a lone U+FEFF is dropped. */
const scriptFaults = /[\u0085\ufeff]|'ſ/;
const unassigned = /\p{Cn}/u;
/** Letters, marks and numbers of Unicode 17, as Node has it; tiktoken's tables are of Unicode 16. */
const newInUnicode17 = new RegExp(
  `[${[
    "\\u{88f}\\u{c5c}\\u{cdc}\\u{1acf}-\\u{1add}\\u{1ae0}-\\u{1aeb}\\u{a7ce}-\\u{a7cf}\\u{a7d2}",
    "\\u{a7d4}\\u{a7f1}\\u{10940}-\\u{10959}\\u{10ec5}-\\u{10ec7}\\u{10efa}-\\u{10efb}",
    "\\u{11b60}-\\u{11b67}\\u{11db0}-\\u{11ddb}\\u{11de0}-\\u{11de9}\\u{16ea0}-\\u{16ed3}",
    "\\u{16ff2}-\\u{16ff6}\\u{18d09}-\\u{18d1e}\\u{18d80}-\\u{18df2}\\u{1e6c0}-\\u{1e6ff}",
    "\\u{2b73a}-\\u{2b73f}\\u{2cea2}-\\u{2cead}\\u{323b0}-\\u{33479}",
  ].join("")}]`,
  "u",
);

/** No half of a surrogate pair. */
const isWhole = (text: string): boolean => !/\p{Cs}/u.test(text);

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** First and last code point. Planes 4 to 13 have no characters in any version of Unicode. */
const ranges = {
  ascii: [0, 0x7f],
  latin: [0x80, 0x7ff],
  bmp: [0x800, 0xd7ff],
  compatibility: [0xe000, 0xffff],
  plane1: [0x10000, 0x1ffff],
  plane2: [0x20000, 0x2ffff],
  plane3: [0x30000, 0x3ffff],
  emptyPlanes: [0x40000, 0xdffff],
  plane14: [0xe0000, 0xeffff],
  privatePlanes: [0xf0000, 0x10ffff],
} as const;
type Range = keyof typeof ranges;
const mixes: readonly (readonly Range[])[] = [
  ["ascii"],
  ["ascii", "latin"],
  ["ascii", "bmp"],
  ["ascii", "plane1"],
  Object.keys(ranges) as Range[],
];
const words = [
  ..."the|Hello| World|'s|'T|'ſ|'Ll|don't|  |\n|\r\n|\t|\r|123|4567|/|//|ÉCOLE|日本語|мир|שלום|नमस्ते|🙂|👨‍👩‍👧|🇳🇴".split(
    "|",
  ),
  ...[
    "\u0301",
    "\u0085",
    "\ufeff",
    "\u00a0",
    "\u2028",
    "\u3000",
    "ǅ",
    "ʰ",
    "ª",
    "<|start|>",
    "<|",
    "|>",
    "\u200b",
  ],
];

/** Texts over all planes, most of them short, with what the split pattern turns on more often than chance has it. */
function* randomTexts(count: number): Generator<string> {
  const random = createRandom(20261122);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const character = (mix: readonly Range[]): string => {
    for (;;) {
      const range = pick(mix);
      const [first, last] = ranges[range];
      const point = String.fromCodePoint(first + random(last - first + 1));
      // What one side's Unicode version has and the other's has not is split differently, and rightly so.
      if (range === "emptyPlanes" || !(unassigned.test(point) || newInUnicode17.test(point))) return point;
    }
  };
  for (let i = 0; i < count; i++) {
    const mix = pick(mixes);
    const length = 1 + random(i % 16 === 0 ? 60 : 9);
    let text = "";
    for (let k = 0; k < length; k++) text += random(4) === 0 ? pick(words) : character(mix);
    yield text;
  }
}

/** At least 1 MB of this repository's prose and code, with words of many scripts between. */
function mixedText(): string {
  const root = new URL("../../", import.meta.url);
  const random = createRandom(7);
  let text = "";
  for (const entry of readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" }).sort())
    if (/\.(?:ts|wgsl)$/.test(entry)) text += readFileSync(new URL(`src/${entry}`, root), "utf8");
  text += readFileSync(new URL("ARCHITECTURE.md", root), "utf8");
  while (text.length < 1_000_000) {
    for (let i = 0; i < 12; i++) text += `${words[random(words.length)]}${random(2) === 0 ? " " : ""}`;
    text += ". ";
  }
  return text;
}

describe("the published tokenizer", () => {
  it("loads in less than 3 s", () => {
    expect(tokenizer.vocabSize).toBe(200019);
    expect(loadMs).toBeLessThan(3000);
  });

  it("gives the ids of tiktoken and gpt-tokenizer for 100,000 texts over all planes of Unicode", {
    timeout: 120_000,
  }, () => {
    const wrong: string[] = [];
    let numCompared = 0;
    for (const text of randomTexts(100_000)) {
      const ids = tokenizer.encode(text);
      if (differs(ids, oracle(text))) wrong.push(text);
      if (scriptFaults.test(text)) continue;
      numCompared += 1;
      if (differs(ids, gptTokenizerEncode(text))) wrong.push(text);
    }
    expect(wrong).toEqual([]);
    expect(numCompared).toBeGreaterThan(80_000);
  });

  it("gives the ids of tiktoken, js-tiktoken and gpt-tokenizer for 1 MB of mixed text, 2 MB a second", {
    timeout: 60_000,
  }, () => {
    const text = mixedText();
    const ids = tokenizer.encode(text);
    expect(differs(ids, oracle(text))).toBe(false);
    expect(tokenizer.decode(ids)).toBe(text);
    const clean = text.replaceAll(new RegExp(scriptFaults, "g"), "");
    const cleanIds = tokenizer.encode(clean);
    expect(differs(cleanIds, jsTiktoken.encode(clean, [], []))).toBe(false);
    expect(differs(cleanIds, gptTokenizerEncode(clean, { disallowedSpecial: new Set() }))).toBe(false);
    const start = cpuMs();
    for (let i = 0; i < 3; i++) tokenizer.encode(text);
    const megabytesPerSecond = (3 * Buffer.byteLength(text)) / 1000 / (cpuMs() - start);
    expect(megabytesPerSecond).toBeGreaterThan(2);
  });

  it("streams what it decodes at once, and never a broken character", { timeout: 30_000 }, () => {
    const random = createRandom(3);
    for (const text of randomTexts(5000)) {
      const stream = createUtf8Stream();
      const pieces = tokenizer.encode(text).map((id) => stream.push(tokenizer.bytes(id) ?? new Uint8Array()));
      expect(stream.flush()).toBe("");
      expect(pieces.join("")).toBe(text);
      const cut = pieces.find(
        (piece) => !isWhole(piece) || (piece.includes("\uFFFD") && !text.includes("\uFFFD")),
      );
      expect(cut).toBeUndefined();
    }
    for (let i = 0; i < 2000; i++) {
      const ids = Array.from({ length: 1 + random(20) }, () => random(199_998));
      const stream = createUtf8Stream();
      const pieces = ids.map((id) => stream.push(tokenizer.bytes(id) ?? new Uint8Array()));
      expect(pieces.every(isWhole)).toBe(true);
      expect(pieces.join("") + stream.flush()).toBe(tokenizer.decode(ids));
    }
  });

  it("never makes a special token from text", { timeout: 30_000 }, () => {
    const random = createRandom(5);
    const names = [...tokenizer.specialTokens.keys()];
    for (const text of randomTexts(5000)) {
      const name = names[random(names.length)] ?? "";
      const at = random(text.length + 1);
      const spelled = text.slice(0, at) + name + text.slice(at);
      const ids = tokenizer.encode(spelled);
      expect(Math.max(...ids)).toBeLessThan(199_998);
      // A special put into a surrogate pair leaves two halves, which UTF-8 cannot have.
      expect(tokenizer.decode(ids)).toBe(spelled.replaceAll(/\p{Cs}/gu, "\uFFFD"));
    }
  });

  it.each([
    ["one letter", "a"],
    ["spaces", " "],
    ["letters without a token of their own", "ꙮ"],
    ["marks", "!?"],
    ["line ends", "\n\r"],
    ["an emoji", "💖"],
  ])("takes long runs of %s", { timeout: 30_000 }, (_name, unit) => {
    const text = unit.repeat(2000);
    expect(differs(tokenizer.encode(text), oracle(text))).toBe(false);
    const long = unit.repeat(200_000);
    expect(tokenizer.decode(tokenizer.encode(long))).toBe(long);
  });
});
