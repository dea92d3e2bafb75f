import { describe, expect, it } from "vitest";
import { plainTranspose } from "../testing/plain-transpose.ts";
import { transposeBf16 } from "./transpose-bf16.ts";

describe("transposeBf16", () => {
  it.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [32, 32],
    [33, 65],
    [96, 40],
  ])("turns [%i, %i] round", (rows, columns) => {
    const values = Uint16Array.from({ length: rows * columns }, (_, i) => i + 1);
    const turned = transposeBf16(new Uint8Array(values.buffer), rows, columns);
    expect(new Uint16Array(turned.buffer)).toEqual(plainTranspose(values, rows, columns));
  });

  it("takes bytes that start at an odd address", () => {
    const bytes = Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 0);
    expect([...transposeBf16(bytes.subarray(1), 2, 2)]).toEqual([1, 0, 3, 0, 2, 0, 4, 0]);
  });
});
