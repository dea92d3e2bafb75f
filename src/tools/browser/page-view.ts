import { ToolFailure } from "../types.ts";
import { type Page, truncated, unquoted } from "./page.ts";
import { wrapLines } from "./wrap-lines.ts";

export interface ViewOptions {
  /** First line shown. */
  readonly loc: number;
  /** Lines shown; where it is not positive, as many as hold about `viewTokens`. */
  readonly numLines: number;
  readonly viewTokens: number;
  readonly countTokens: (text: string) => number;
}

/**
 * A page as the model sees it: `[cursor] title (url)`, the lines shown of the lines there are, then those lines with
 * their numbers. @throws ToolFailure for a line beyond the last
 */
export function viewPage(page: Page, cursor: number, options: ViewOptions): string {
  const lines = wrapLines(page.text);
  const { loc } = options;
  if (loc >= lines.length) {
    throw new ToolFailure(
      `Invalid location parameter: \`${loc}\`. Cannot exceed page maximum of ${lines.length - 1}.`,
    );
  }
  const numbered = lines.slice(loc).map((line, index) => `L${loc + index}: ${line}`);
  const numShown = numLinesShown(numbered, options);
  const address = truncated(unquoted(page.url));
  const head = address === "" ? page.title : `${page.title} (${address})`;
  const range = `**viewing lines [${loc} - ${loc + numShown - 1}] of ${lines.length - 1}**`;
  return `[${cursor}] ${head}\n${range}\n\n${numbered.slice(0, numShown).join("\n")}`;
}

/** The line in which the last token of the window lies is shown whole. */
function numLinesShown(
  numbered: readonly string[],
  { numLines, viewTokens, countTokens }: ViewOptions,
): number {
  if (numLines > 0) return Math.min(numLines, numbered.length);
  let numTokens = 0;
  const numWhole = numbered.findIndex((line) => {
    numTokens += countTokens(`${line}\n`);
    return numTokens > viewTokens;
  });
  return numWhole < 0 ? numbered.length : numWhole + 1;
}

const piecePattern = /[^\S\n]?(?:\p{L}+|\p{N}{1,3}|[^\s\p{L}\p{N}]+)|\s+/gu;
const eastAsian = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** About as many tokens as o200k_base makes of a text, without its 200 000 ranks. */
export function estimateTokens(text: string): number {
  let numTokens = 0;
  for (const [piece] of text.matchAll(piecePattern))
    numTokens += Math.ceil(piece.length / charactersPerToken(piece));
  return numTokens;
}

/** Common English words are one token, other alphabets' words one or two; scripts without spaces have short ones. */
function charactersPerToken(piece: string): number {
  if (!/\p{L}/u.test(piece)) return 4;
  if (/^[ -~\s]*$/.test(piece)) return 11;
  return eastAsian.test(piece) ? 1.4 : 7;
}
