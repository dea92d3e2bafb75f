import { apart, either, literal, oneOfRanges } from "./ebnf.ts";

/** Code points from first to last, both included. */
export type Range = readonly [number, number];

const last = 0x10ffff;
const firstWide = 0x80;
/** Most characters beyond ASCII that a set may list. */
const mostListed = 400;

/** What JSON cannot hold as it is: controls, the quote and the backslash. */
const notPlain: readonly Range[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];

/** Line separators and surrogates: the tokens' guard keeps both out of texts, so no set needs to. */
const neverThere: readonly Range[] = [
  [0x2028, 0x2029],
  [0xd800, 0xdfff],
];

/** How JSON writes characters that need a backslash. Other controls are left out. */
const escapes: readonly (readonly [number, string])[] = [
  [0x22, '\\"'],
  [0x5c, "\\\\"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
  [0x08, "\\b"],
  [0x0c, "\\f"],
];

/** What is in none of the ranges. */
export function complement(ranges: readonly Range[]): Range[] {
  const gaps: Range[] = [];
  let next = 0;
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= last) gaps.push([next, last]);
  return gaps;
}

/**
 * One character of a set, as it stands inside a JSON string. xgrammar 0.1.27 takes no ranges beyond ASCII, only all of
 * it as a negated class; of other sets the first characters are listed. Undefined where JSON has none of them.
 */
export function jsonCharacter(ranges: readonly Range[]): string | undefined {
  const plain = complement([...complement(ranges), ...notPlain, [firstWide, last]]);
  const escaped = escapes.filter(([code]) => ranges.some(([from, to]) => from <= code && code <= to));
  const alternatives = [
    ...(plain.length === 0 ? [] : [oneOfRanges(plain)]),
    ...escaped.map(([, text]) => literal(text)),
    ...wide(complement([...complement(ranges), ...neverThere, [0, firstWide - 1]])),
  ];
  return alternatives.length === 0 ? undefined : either(alternatives);
}

const allWide = complement([...neverThere, [0, firstWide - 1]]);

function wide(ranges: readonly Range[]): string[] {
  if (JSON.stringify(ranges) === JSON.stringify(allWide)) return ["[^\\u0000-\\u007f]"];
  const groups = new Map<number, string[]>();
  let count = 0;
  for (const [from, to] of ranges) {
    for (let code = from; code <= to && count < mostListed; code++, count++) {
      // Those that differ only in the last byte of UTF-8 may stand in one rule.
      const group = groups.get(code >> 6) ?? [];
      groups.set(code >> 6, [...group, literal(String.fromCodePoint(code))]);
    }
  }
  return [...groups.values()].map((group) => apart(group.join(" | ")));
}
