import { readFileSync } from "node:fs";
import { decode, encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { repositoryPath } from "../../testing/reference.ts";
import { estimateTokens, viewPage } from "./page-view.ts";
import { wrapLines } from "./wrap-lines.ts";

const readme = readFileSync(repositoryPath("README.md"), "utf8");
const countTokens = (text: string) => encode(text).length;
/** Without characters that a token may cut in two. */
const ascii = readme.replace(/[^\n -~]/g, "");
const pageOf = (text: string) => ({ url: "", title: "t", text, urls: [] });

/** The reference tool's rule, on the whole text: lines up to the one that holds the last token of the window. */
function lastLineByReference(text: string, viewTokens: number): number {
  const numbered = wrapLines(text).map((line, index) => `L${index}: ${line}`);
  const tokens = encode(numbered.join("\n"));
  if (tokens.length <= viewTokens) return numbered.length - 1;
  return decode(tokens.slice(0, viewTokens)).split("\n").length - 1;
}

describe("viewPage", () => {
  it("ends where the reference tool does, given its tokenizer", () => {
    for (const viewTokens of [10, 100, 333, 1024, 100_000]) {
      const view = viewPage(pageOf(ascii), 3, { loc: 0, numLines: -1, viewTokens, countTokens });
      const last = /viewing lines \[0 - (\d+)\]/.exec(view)?.[1];
      expect(Number(last), String(viewTokens)).toBe(lastLineByReference(ascii, viewTokens));
    }
  });
});

describe("estimateTokens", () => {
  it.each([
    ["English and Markdown", readme],
    ["program text", readFileSync(repositoryPath("src/tools/browser/wrap-lines.ts"), "utf8")],
    [
      "German",
      "Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung aller staatlichen Gewalt.",
    ],
    ["Chinese", "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。"],
    [
      "Russian",
      "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью.",
    ],
  ])("is within 35 %% for %s", (_, text) => {
    const ratio = estimateTokens(text) / countTokens(text);
    expect(ratio).toBeGreaterThan(0.65);
    expect(ratio).toBeLessThan(1.35);
  });
});
