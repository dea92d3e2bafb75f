import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatBytes, formatRate, formatSeconds } from "./format.ts";
import { suggestions } from "./suggestions.ts";
import { readUrlParameters } from "./url-parameters.ts";

describe("suggestions", () => {
  const samples = readFileSync(new URL("../models/gpt-oss-nano/samples.md", import.meta.url), "utf8");

  test.each(suggestions)("$question is in the model's samples at its effort", ({ question, effort }) => {
    expect(samples).toContain(`## ${question}\n\nReasoning: ${effort}\n`);
  });
});

describe("URL parameters", () => {
  test("are read", () => {
    expect(readUrlParameters("?temperature=0&model=a/b&date=2026-11-22&chunkBytes=4194304")).toEqual({
      temperature: 0,
      model: "a/b",
      date: "2026-11-22",
      chunkBytes: 4194304,
    });
  });

  test("are left out where they are malformed", () => {
    const nothing = {
      temperature: undefined,
      model: undefined,
      date: undefined,
      chunkBytes: undefined,
    };
    expect(readUrlParameters("?temperature=-1&model=&date=today&chunkBytes=many")).toEqual(nothing);
    expect(readUrlParameters("?temperature=")).toEqual(nothing);
  });
});

describe("numbers for people", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [14_787_800, "14.8 MB"],
    [13_761_300_000, "13.8 GB"],
    [250_000_000_000, "250 GB"],
  ])("%d bytes", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test("seconds and rates", () => {
    expect(formatSeconds(421)).toBe("0.42 s");
    expect(formatSeconds(61_234)).toBe("61.2 s");
    expect(formatRate(35.14)).toBe("35.1");
    expect(formatRate(512.4)).toBe("512");
    expect(formatRate(Number.NaN)).toBe("–");
  });
});
