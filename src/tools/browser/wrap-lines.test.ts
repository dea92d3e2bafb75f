import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { wrapLines } from "./wrap-lines.ts";

// [width, text, lines], the lines made by Python 3.11:
// textwrap.wrap(line, width=width, replace_whitespace=False, drop_whitespace=False) for each non-empty line.
const file = new URL("wrap-lines.fixture.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as [number, string, string[]][];

describe("wrapLines", () => {
  it("wraps as Python's textwrap does", () => {
    expect(cases.length).toBeGreaterThan(60);
    expect(cases.some(([, text, lines]) => lines.length > text.split("\n").length + 5)).toBe(true);
    for (const [width, text, lines] of cases)
      expect(wrapLines(text, width), JSON.stringify(text)).toEqual(lines);
  });

  it("loses nothing but tabs, and counts code points", () => {
    const text = "😀".repeat(100) + " ".repeat(90) + "é-ü ".repeat(50);
    expect(wrapLines(text).join("")).toBe(text);
    expect(wrapLines(text).map((line) => [...line].length)[0]).toBe(80);
  });

  it("takes time in proportion to a long word", () => {
    const startedMs = performance.now();
    expect(wrapLines("x".repeat(200_000)).length).toBe(2500);
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});
