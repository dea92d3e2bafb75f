import { describe, expect, it } from "vitest";
import { nano, readNano } from "./nano.fixture.ts";
import { assistantStopTokens, samplableTokens } from "./stop-tokens.ts";
import type { Tokenizer } from "./types.ts";

const has = (mask: Uint32Array, id: number): boolean => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;

describe("stop tokens", () => {
  it("are the checkpoint's own", () => {
    const config = readNano("generation_config.json") as { eos_token_id: number[] };
    expect(assistantStopTokens(nano).sort()).toEqual(config.eos_token_id.sort());
  });

  it("leaves out those a tokenizer does not have", () => {
    const tokenizer: Tokenizer = { ...nano, specialTokens: new Map([["<|return|>", 7]]) };
    expect(assistantStopTokens(tokenizer)).toEqual([7]);
  });
});

describe("samplable tokens", () => {
  it("are the text tokens and harmony's own specials", () => {
    const mask = samplableTokens(nano, 2560);
    expect(mask.length).toBe(80);
    const barred = Array.from({ length: 2560 }, (_, id) => id).filter((id) => !has(mask, id));
    const names = barred.map((id) => nano.specialText(id));
    expect(barred.length).toBe(8);
    expect(names.every((name) => name === "<|startoftext|>" || name?.startsWith("<|reserved_"))).toBe(true);
  });

  it("stop at the tokenizer's end where the logits have padding, and at the logits' end", () => {
    const padded = samplableTokens(nano, 2600);
    expect(padded.length).toBe(82);
    for (let id = 2560; id < 82 * 32; id++) expect(has(padded, id)).toBe(false);
    const short = samplableTokens(nano, 40);
    expect(Array.from(short)).toEqual([0xffffffff, 0xff]);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuse a vocabulary size of %s", (size) => {
    expect(() => samplableTokens(nano, size)).toThrow(/positive integer/);
  });
});
