import { describe, expect, it } from "vitest";
import { createChunkSizer } from "./chunk-sizer.ts";

describe("chunk sizer", () => {
  it("never offers more than remains or than fits a pass", () => {
    const sizer = createChunkSizer({ maxTokens: 48 });
    expect(sizer.next(1000)).toBe(48);
    expect(sizer.next(5)).toBe(5);
    expect(createChunkSizer({ maxTokens: 7 }).next(100)).toBe(7);
  });

  it("grows on a fast GPU, at most fourfold a chunk, up to the pass", () => {
    const sizer = createChunkSizer({ maxTokens: 512 });
    sizer.record(64, 1);
    expect(sizer.next(1000)).toBe(256);
    sizer.record(256, 2);
    expect(sizer.next(1000)).toBe(512);
  });

  it("shrinks to what meets the target on a slow GPU", () => {
    const sizer = createChunkSizer({ maxTokens: 512, targetMs: 60 });
    sizer.record(64, 120);
    expect(sizer.next(1000)).toBe(32);
    sizer.record(32, 100_000);
    expect(sizer.next(1000)).toBe(16);
  });

  it("learns nothing from a short last chunk that was fast", () => {
    const sizer = createChunkSizer({ maxTokens: 512 });
    sizer.record(3, 1);
    expect(sizer.next(1000)).toBe(64);
  });
});
