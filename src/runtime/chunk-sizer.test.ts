import { describe, expect, it } from "vitest";
import { createChunkSizer } from "./chunk-sizer.ts";

/** Sizes chosen over `count` full chunks on a GPU that takes `time(tokens)` ms. */
function run(
  options: Parameters<typeof createChunkSizer>[0],
  time: (tokens: number) => number,
  count: number,
): number[] {
  const sizer = createChunkSizer(options);
  return Array.from({ length: count }, () => {
    const tokens = sizer.next(1_000_000);
    sizer.record(tokens, time(tokens));
    return tokens;
  });
}

describe("chunk sizer", () => {
  it("never offers more than remains or than fits a pass", () => {
    expect(createChunkSizer({ maxTokens: 48 }).next(1000)).toBe(48);
    expect(createChunkSizer({ maxTokens: 512 }).next(5)).toBe(5);
    expect(createChunkSizer({ maxTokens: 7 }).next(100)).toBe(7);
  });

  it("climbs to the whole pass on a fast GPU", () => {
    expect(run({ maxTokens: 512 }, (tokens) => tokens / 20, 4)).toEqual([128, 256, 512, 512]);
    expect(run({ maxTokens: 500 }, (tokens) => tokens / 20, 3)).toEqual([128, 256, 500]);
  });

  it("goes down while chunks take over the budget, to the least size on a very slow GPU", () => {
    expect(run({ maxTokens: 512 }, (tokens) => tokens, 4)).toEqual([128, 64, 64, 64]);
    expect(run({ maxTokens: 512 }, (tokens) => 100 * tokens, 5)).toEqual([128, 64, 32, 16, 16]);
  });

  it("keeps the largest size within the budget where most of the time is the weights'", () => {
    const sizes = run({ maxTokens: 512 }, (tokens) => 60 + tokens / 10, 8);
    expect(sizes[1]).toBe(256);
    expect(sizes.slice(2).every((size) => size === 256)).toBe(true);
  });

  it("tries a size again some chunks after one slow run", () => {
    let calls = 0;
    const sizes = run({ maxTokens: 256 }, (tokens) => (calls++ === 0 ? 200 : tokens / 20), 12);
    expect(sizes.slice(0, 2)).toEqual([128, 64]);
    expect(sizes.at(-1)).toBe(256);
  });

  it("learns nothing from a short last chunk that was fast", () => {
    const sizer = createChunkSizer({ maxTokens: 512 });
    sizer.record(3, 1);
    expect(sizer.next(1000)).toBe(128);
  });
});
