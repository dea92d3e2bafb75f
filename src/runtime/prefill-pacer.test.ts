import { describe, expect, it } from "vitest";
import { createPrefillPacer, cutEvenly } from "./prefill-pacer.ts";

const options = { maxTokens: 512, maxSubmits: 240 };

describe("prefill pacer", () => {
  it("starts carefully on an unknown GPU and never offers more than remains or fits", () => {
    expect(createPrefillPacer(options).next(1000)).toEqual({ numTokens: 128, numSubmits: 8 });
    expect(createPrefillPacer(options).next(5)).toEqual({ numTokens: 5, numSubmits: 8 });
    expect(createPrefillPacer({ maxTokens: 7, maxSubmits: 3 }).next(100)).toEqual({
      numTokens: 7,
      numSubmits: 3,
    });
  });

  it("learns nothing from a pass of a few tokens", () => {
    const pacer = createPrefillPacer(options);
    pacer.record(7, 700);
    expect(pacer.next(1000)).toEqual({ numTokens: 128, numSubmits: 8 });
  });

  it("takes whole passes in one submit on a fast GPU", () => {
    const pacer = createPrefillPacer(options);
    pacer.record(128, 10);
    expect(pacer.next(1000)).toEqual({ numTokens: 512, numSubmits: 1 });
  });

  it("keeps submits within the budget, whatever the GPU", () => {
    for (const msPerToken of [0.01, 0.3, 1, 5, 30, 200]) {
      const pacer = createPrefillPacer({ ...options, budgetMs: 60 });
      pacer.record(128, 128 * msPerToken);
      const { numTokens, numSubmits } = pacer.next(1000);
      expect((numTokens * msPerToken) / numSubmits).toBeLessThanOrEqual(60);
    }
  });

  it("shortens passes only where single steps would be too long, and not below 16 tokens", () => {
    const pacer = createPrefillPacer({ maxTokens: 512, maxSubmits: 100 });
    pacer.record(512, 512 * 20);
    expect(pacer.next(1000)).toEqual({ numTokens: 300, numSubmits: 100 });
    pacer.record(300, 300 * 10_000);
    expect(pacer.next(1000)).toEqual({ numTokens: 16, numSubmits: 100 });
  });
});

describe("cutEvenly", () => {
  it("keeps every step once, in order, in parts that differ by one at most", () => {
    const steps = Array.from({ length: 103 }, (_, i) => i);
    for (const count of [1, 2, 7, 50, 103, 500]) {
      const parts = cutEvenly(steps, count);
      expect(parts.flat()).toEqual(steps);
      const sizes = parts.map((part) => part.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    }
  });
});
