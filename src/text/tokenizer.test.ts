import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEngineError } from "../errors.ts";
import { byteCharacters } from "./byte-level.ts";
import { harmonyIds, nano, readNano, reference } from "./nano.fixture.ts";
import { createTokenizer } from "./tokenizer.ts";
import { createUtf8Stream } from "./utf8-stream.ts";

const specialNames = [...nano.specialTokens.keys()];
const specialIds = new Set(nano.specialTokens.values());
const anyText = fc.string({ unit: "binary", maxLength: 60 });
const textWithSpecials = fc
  .array(fc.oneof(anyText, fc.constantFrom(...specialNames, "<|", "|>", "<|start", "start|>")), {
    maxLength: 8,
  })
  .map((parts) => parts.join(""));

type Json = Record<string, unknown>;

/** The nano tokenizer's file with some parts replaced. */
const nanoFile = (parts: Json = {}): Json => ({ ...(readNano("tokenizer.json") as Json), ...parts });
const withModel = (parts: Json): Json => nanoFile({ model: { ...(nanoFile().model as Json), ...parts } });
const nanoVocab = (): Json => (nanoFile().model as Json).vocab as Json;
const withTokens = (tokens: Json): Json => withModel({ vocab: { ...nanoVocab(), ...tokens } });

const badSplit = { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated", invert: false };
const badRegex = {
  type: "Sequence",
  pretokenizers: [badSplit, { type: "ByteLevel", add_prefix_space: false }],
};
const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
const unknownStep = { type: "Sequence", pretokenizers: [{ type: "Digits" }, byteLevel] };
const mergingSplit = {
  type: "Sequence",
  pretokenizers: [{ ...badSplit, pattern: { Regex: "a" }, behavior: "Removed" }, byteLevel],
};
const twoNames = ["<|start|>", "<|begin|>"].map((content) => ({ id: 2552, content }));

function withoutToken(token: string): Json {
  const { [token]: _removed, ...others } = nanoVocab();
  return others;
}

describe("tokenizer", () => {
  it("encodes the reference prompts' plain text to their ids", () => {
    const text = "What is the capital of Japan?";
    const ids = nano.encode(text);
    const prompt = reference.prompts.find((candidate) => candidate.text.includes(text))?.prompt ?? [];
    expect(prompt.join()).toContain(ids.join());
    expect(ids.length).toBeGreaterThan(4);
  });

  it("decodes the reference streams", () => {
    for (const { prompt, text, greedy, greedy_text } of reference.prompts) {
      expect(nano.decode(prompt)).toBe(text);
      expect(nano.decode(greedy)).toBe(greedy_text);
    }
  });

  it("gives back any text", { timeout: 30_000 }, () => {
    const property = fc.property(anyText, (text) => {
      expect(nano.decode(nano.encode(text))).toBe(text);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("gives the ids of @huggingface/tokenizers", { timeout: 30_000 }, () => {
    const { model, pre_tokenizer } = nanoFile();
    const parts = { model, pre_tokenizer, added_tokens: [], normalizer: null, post_processor: null };
    const library = new LibraryTokenizer({ ...parts, decoder: null }, {});
    const words = fc.constantFrom(
      "the",
      " Hello",
      "'s",
      "'LL",
      "  ",
      "\n",
      "12",
      "!?",
      "é",
      "日本",
      "🙂",
      "a".repeat(99),
    );
    const texts = fc.array(fc.oneof(words, fc.string({ maxLength: 20 })), { minLength: 1, maxLength: 12 });
    const property = fc.property(texts, (parts) => {
      const text = `x${parts.join("")}`;
      expect(nano.encode(text)).toEqual(library.encode(text, { add_special_tokens: false }).ids);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("never makes a special token from text", { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(textWithSpecials, (text) => {
        const ids = nano.encode(text);
        expect(ids.filter((id) => specialIds.has(id))).toEqual([]);
        expect(nano.decode(ids)).toBe(text);
      }),
      { numRuns: 500 },
    );
    for (const name of specialNames) expect(nano.encode(name).length).toBeGreaterThan(1);
  });

  it("decodes as a stream what it decodes at once", () => {
    const id = fc
      .integer({ min: 0, max: nano.vocabSize - 1 })
      .filter((candidate) => !specialIds.has(candidate));
    fc.assert(
      fc.property(fc.array(id, { maxLength: 30 }), (ids) => {
        const stream = createUtf8Stream();
        const pieces = ids.map((each) => stream.push(nano.bytes(each) ?? new Uint8Array()));
        expect(pieces.join("") + stream.flush()).toBe(nano.decode(ids));
      }),
    );
  });

  it("writes a lone surrogate as the replacement character", () => {
    expect(nano.decode(nano.encode("a\uD800b"))).toBe("a\uFFFDb");
  });

  it("says so where a run is too long for the pattern's stack", { timeout: 30_000 }, () => {
    const run = (length: number) => () => nano.encode("日".repeat(length));
    expect(run(2 ** 17)().length).toBeGreaterThan(2 ** 16);
    expect(run(2 ** 23)).toThrow(/text of 8388608 characters: a run in it is too long/);
  });

  it("encodes the empty text as nothing", () => {
    expect(nano.encode("")).toEqual([]);
    expect(nano.decode([])).toBe("");
  });

  it("knows its special tokens by name and id", () => {
    expect(nano.special("<|start|>")).toBe(2552);
    expect(nano.specialText(2552)).toBe("<|start|>");
    expect(nano.specialText(0)).toBeUndefined();
    expect(nano.vocabSize).toBe(2560);
    expect(nano.bytes(2552)).toBeUndefined();
    expect(nano.bytes(2560)).toBeUndefined();
    expect(nano.bytes(-1)).toBeUndefined();
    expect(nano.decode([2552, 9999])).toBe("<|start|>\uFFFD");
    expect(() => nano.special("<|endofprompt|>")).toThrow(/no special token <\|endofprompt\|>/);
  });

  it("has one token for each byte", () => {
    const single = new Set<number>();
    for (let id = 0; id < nano.vocabSize; id++) {
      const bytes = nano.bytes(id);
      if (bytes?.length === 1) single.add(bytes[0] ?? -1);
    }
    expect(single.size).toBe(256);
    expect(new Set(byteCharacters).size).toBe(256);
    expect([byteCharacters[0x20], byteCharacters[0x0a], byteCharacters[0x41]]).toEqual(["Ġ", "Ċ", "A"]);
  });

  it("leaves the caller's objects as they were and does not need them later", () => {
    const json = readNano("tokenizer.json") as { model: { merges: unknown[]; vocab: object } };
    const before = JSON.stringify(json);
    const tokenizer = createTokenizer(json);
    expect(JSON.stringify(json)).toBe(before);
    json.model.merges.length = 0;
    json.model.vocab = {};
    expect(tokenizer.encode("hello world")).toEqual(nano.encode("hello world"));
  });

  it("reads merges written as one string", () => {
    const merges = ((nanoFile().model as Json).merges as string[][]).map((pair) => pair.join(" "));
    expect(createTokenizer(withModel({ merges })).encode("Hello, what is new?")).toEqual(
      nano.encode("Hello, what is new?"),
    );
  });

  it("takes further special tokens from tokenizer_config.json", () => {
    const config = { added_tokens_decoder: { "3000": { content: "<|extra|>" } } };
    const tokenizer = createTokenizer(readNano("tokenizer.json"), config);
    expect(tokenizer.special("<|extra|>")).toBe(3000);
    expect(tokenizer.vocabSize).toBe(3001);
    expect(tokenizer.bytes(2999)).toBeUndefined();
  });

  it("keeps text safe where special tokens also stand in the vocabulary", () => {
    const json = withTokens({ "<|start|>": 2552 });
    // Without a regex the whole text is one piece, so the vocabulary entry would match it.
    const preTokenizer = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
    const tokenizer = createTokenizer({ ...json, pre_tokenizer: preTokenizer });
    expect(tokenizer.encode("<|start|>")).not.toContain(2552);
    expect(tokenizer.decode(tokenizer.encode("<|start|>"))).toBe("<|start|>");
  });

  it("spells harmony text in the tests", () => {
    expect(nano.decode(harmonyIds("<|start|>user<|message|>Hi"))).toBe("<|start|>user<|message|>Hi");
  });

  it.each<[string, unknown, RegExp]>([
    ["null", null, /the file must be an object, got null/],
    ["a list", [], /the file must be an object/],
    ["no model", {}, /model must be an object, got nothing/],
    ["another model", withModel({ type: "Unigram" }), /model\.type must be "BPE", got "Unigram"/],
    ["a normalizer", nanoFile({ normalizer: { type: "NFC" } }), /normalizer must be null/],
    ["an unknown step", nanoFile({ pre_tokenizer: unknownStep }), /step "Digits" is unknown/],
    [
      "a merging split",
      nanoFile({ pre_tokenizer: mergingSplit }),
      /"Isolated" without invert, got "Removed"/,
    ],
    ["a merge of no tokens", withModel({ merges: [["", "a"]] }), /is of no tokens/],
    ["no byte level", nanoFile({ pre_tokenizer: { type: "Split" } }), /must have a ByteLevel step/],
    ["a bad regex", nanoFile({ pre_tokenizer: badRegex }), /the encoder cannot be built/],
    ["a word suffix", withModel({ end_of_word_suffix: "</w>" }), /end_of_word_suffix must be empty/],
    ["merges that are no list", withModel({ merges: {} }), /model\.merges must be a list/],
    ["a broken merge", withModel({ merges: [["a"]] }), /must be a pair of tokens, got \["a"\]/],
    ["a merge into nothing", withModel({ merges: [["Ġ", "qqq"]] }), /makes no token/],
    ["a fractional id", withTokens({ qqqq: 1.5 }), /"qqqq" must have an integer id .* got 1\.5/],
    ["a huge id", withTokens({ qqqq: 1e9 }), /"qqqq" must have an integer id/],
    ["an id used twice", withTokens({ qqqq: 5 }), /id 5 belongs to two tokens/],
    ["a special's id as text", withTokens({ qqqq: 2552 }), /id 2552 belongs to two tokens/],
    ["a special with two ids", withTokens({ "<|start|>": 2600 }), /"<\|start\|>" has two ids/],
    ["a token outside the alphabet", withTokens({ "a b": 2600 }), /not in the byte-level alphabet/],
    ["an empty token", withTokens({ "": 2600 }), /token 2600 is empty/],
    ["a missing byte", withModel({ vocab: withoutToken("!") }), /no token for byte 33/],
    ["an unnamed special", nanoFile({ added_tokens: [{ id: 9 }] }), /added token 9 has no content/],
    ["two names of a special", nanoFile({ added_tokens: twoNames }), /contradicts another added token/],
  ])("refuses %s", (_name, json, message) => {
    expect(() => createTokenizer(json)).toThrow(message);
    try {
      createTokenizer(json);
    } catch (error) {
      expect(isEngineError(error, "tokenizer-invalid")).toBe(true);
    }
  });

  it("refuses a tokenizer_config.json that contradicts tokenizer.json", () => {
    const config = { added_tokens_decoder: { "1": { content: "<|start|>" } } };
    expect(() => createTokenizer(readNano("tokenizer.json"), config)).toThrow(
      /"<\|start\|>" \(id 1\) contradicts/,
    );
  });
});
