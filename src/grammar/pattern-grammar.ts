import { complement, jsonCharacter, type Range } from "./code-point-set.ts";
import { eitherApart } from "./ebnf.ts";
import { schemaError } from "./schema-node.ts";

const digit: readonly Range[] = [[0x30, 0x39]];
const word: readonly Range[] = [...digit, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const space: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const lineEnds: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
/** Exact, since sets may negate them. */
const classes: Readonly<Record<string, readonly Range[]>> = {
  d: digit,
  D: complement(digit),
  w: word,
  W: complement(word),
  s: space,
  S: complement(space),
};
/** What is written for \\S by itself: without the characters beyond ASCII, which would have to be listed. */
const asciiNoSpace = complement([...space, [0x80, 0x10ffff]]);
const controls: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b, f: 0x0c };
const mostRepeats = 1000;

/** What a pattern matches, and how many characters long it is once every repetition is written out. */
export interface PatternGrammar {
  readonly ebnf: string;
  /** Compilation takes about 1 ms for each; a character that must be listed counts as several. */
  readonly positions: number;
}

/**
 * A regular expression (ECMAScript, flag u) as the EBNF of what it matches inside a JSON string. Without anchors, any
 * text may stand before and after it. Not supported: anchors elsewhere than at the ends, lookaround, back references,
 * Unicode properties.
 * @throws request-invalid
 */
export function patternGrammar(pattern: string, path: string): PatternGrammar {
  try {
    new RegExp(pattern, "u");
  } catch {
    throw schemaError(path, `the pattern ${JSON.stringify(pattern)} is no regular expression`);
  }
  let positions = 0;
  const parts = splitTop(pattern).map((part) => {
    const isStart = part.startsWith("^");
    const isEnd = /(?<!\\)(?:\\\\)*\$$/.test(part);
    const body = part.slice(isStart ? 1 : 0, isEnd ? -1 : undefined);
    const grammar = createReader(body, pattern, path).all();
    positions += grammar.positions;
    return `${isStart ? "" : "text "}${grammar.ebnf}${isEnd ? "" : " text"}`;
  });
  const ebnf = `(${eitherApart(parts)})`;
  return { ebnf, positions };
}

/** The alternatives of a pattern's top level. */
function splitTop(pattern: string): string[] {
  const parts = [""];
  let depth = 0;
  let inClass = false;
  for (const [piece] of pattern.matchAll(/\\?[\s\S]/gu)) {
    if (!inClass && piece === "(") depth += 1;
    if (!inClass && piece === ")") depth -= 1;
    if (piece === "[") inClass = true;
    if (piece === "]") inClass = false;
    if (piece === "|" && depth === 0 && !inClass) parts.push("");
    else parts[parts.length - 1] += piece;
  }
  return parts;
}

function createReader(body: string, pattern: string, path: string) {
  const pieces = Array.from(body);
  let at = 0;
  let positions = 0;
  const refuse = (what: string) =>
    schemaError(path, `the pattern ${JSON.stringify(pattern)} has ${what}, which is not supported`);
  const take = (text: string): boolean => {
    if (pieces.slice(at, at + text.length).join("") !== text) return false;
    at += text.length;
    return true;
  };

  function alternatives(): string {
    const parts = [sequence()];
    while (take("|")) parts.push(sequence());
    return `(${eitherApart(parts)})`;
  }

  function sequence(): string {
    const parts: string[] = [];
    while (at < pieces.length && pieces[at] !== "|" && pieces[at] !== ")") {
      const before = positions;
      parts.push(quantified(atom(), before));
    }
    return parts.length === 0 ? '""' : parts.join(" ");
  }

  function quantified(grammar: string, before: number): string {
    const found = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})/.exec(pieces.slice(at).join(""));
    if (found === null) return grammar;
    at += found[0].length;
    take("?"); // lazy: matches the same texts
    const [least, most] = [Number(found[1] ?? 0), Number(found[3] || 0)];
    if (Math.max(least, most) > mostRepeats) throw refuse(`more than ${mostRepeats} repetitions`);
    positions = before + (positions - before) * Math.max(1, least, most);
    return `${grammar}${found[0]}`;
  }

  function atom(): string {
    const piece = pieces[at] ?? "";
    at += 1;
    if (piece === "(") return group();
    if (piece === "[") return characters(set());
    if (piece === ".") return characters(complement(lineEnds));
    if (piece === "^" || piece === "$") throw refuse("an anchor inside");
    if (piece === "\\") return characters(take("S") ? asciiNoSpace : escaped());
    const code = piece.codePointAt(0) ?? 0;
    return characters([[code, code]]);
  }

  function group(): string {
    if (take("?:") || /^\?<[^=!]/.test(pieces.slice(at).join(""))) {
      if (pieces[at] === "?") at = pieces.indexOf(">", at) + 1;
    } else if (pieces[at] === "?") throw refuse("a lookaround or a flag");
    const grammar = alternatives();
    at += 1; // the closing bracket
    return grammar;
  }

  function set(): readonly Range[] {
    const isNegated = take("^");
    const ranges: Range[] = [];
    while (pieces[at] !== "]") {
      const from = member();
      if (pieces[at] === "-" && pieces[at + 1] !== "]") {
        at += 1;
        ranges.push([from[0]?.[0] ?? 0, member()[0]?.[1] ?? 0]);
      } else ranges.push(...from);
    }
    at += 1;
    return isNegated ? complement(ranges) : ranges;
  }

  function member(): readonly Range[] {
    const piece = pieces[at] ?? "";
    at += 1;
    if (piece === "\\") return take("b") ? [[8, 8]] : escaped();
    const code = piece.codePointAt(0) ?? 0;
    return [[code, code]];
  }

  function escaped(): readonly Range[] {
    const piece = pieces[at] ?? "";
    at += 1;
    const named = classes[piece];
    if (named !== undefined) return named;
    const rest = pieces.slice(at - 1).join("");
    const pair = /^u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/i.exec(rest);
    if (pair !== null) {
      at += pair[0].length - 1;
      const units = pair.slice(1).map((unit) => Number.parseInt(unit, 16));
      const code = String.fromCharCode(...units).codePointAt(0) ?? 0;
      return [[code, code]];
    }
    const hex = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/i.exec(rest);
    if (hex !== null) at += hex[0].length - 1;
    else if (/[A-Za-z0-9]/.test(piece) && controls[piece] === undefined) throw refuse(`\\${piece}`);
    const code =
      hex !== null
        ? Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16)
        : (controls[piece] ?? piece.codePointAt(0) ?? 0);
    return [[code, code]];
  }

  function characters(ranges: readonly Range[]): string {
    const grammar = jsonCharacter(ranges);
    if (grammar === undefined) throw refuse("characters that no string may hold");
    positions += 1 + Math.floor(grammar.length / 400);
    return grammar;
  }

  return {
    all(): PatternGrammar {
      const ebnf = alternatives();
      if (at < pieces.length) throw refuse("a bracket too many");
      return { ebnf, positions };
    },
  };
}
