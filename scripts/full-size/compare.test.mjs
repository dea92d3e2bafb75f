import { expect, it } from "vitest";
import { compareLogits, floatsOf } from "./compare.ts";

it("tells identical logits, small differences, another best token, and NaN", () => {
  const a = Float32Array.of(1, 2, 3, 4);
  expect(compareLogits(a, a, 2)).toEqual({
    identical: true,
    maxDifference: 0,
    sameBest: 2,
    positions: 2,
    largest: 4,
  });
  const swapped = compareLogits(a, Float32Array.of(2, 1, 3, 4), 2);
  expect([swapped.identical, swapped.maxDifference, swapped.sameBest]).toEqual([false, 1, 1]);
  expect(compareLogits(a, Float32Array.of(1, 2, Number.NaN, 4), 2).identical).toBe(false);
  expect(() => compareLogits(a, a.subarray(1), 1)).toThrow("4 logits and 3");
});

it("reads floats as they were sent", () => {
  const sent = Float32Array.of(1.5, -0.25);
  expect([...floatsOf(Buffer.from(sent.buffer).toString("base64"))]).toEqual([1.5, -0.25]);
});
