/** Pieces of the EBNF that xgrammar reads. */

/**
 * A text, to the letter. It is cut where a hexadecimal digit follows a character beyond ASCII: xgrammar 0.1.27 writes such
 * a character as \u with four digits, and when it reads that again takes as many digits as follow.
 */
export function literal(text: string): string {
  const pieces = text.split(/(?<=\P{ASCII})(?=[0-9a-fA-F])/u);
  return pieces.map((piece) => `"${piece.replace(/["\\]/g, "\\$&")}"`).join(" ");
}

/**
 * A value as JSON text. Line separators are escaped, since the tokens' guard keeps them out of texts as they are: see
 * utf8-guard.ts.
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

/** One ASCII character of these ranges, both ends included. */
export function oneOfRanges(ranges: readonly (readonly [number, number])[]): string {
  const end = (code: number) => String.fromCodePoint(code).replace(/[\]\\^-]/, "\\$&");
  const parts = ranges.map(([from, to]) => (from === to ? end(from) : `${end(from)}-${end(to)}`));
  return `[${parts.join("")}]`;
}

/** Alternatives in brackets. */
export function either(alternatives: readonly string[]): string {
  return alternatives.length === 1 ? (alternatives[0] ?? "") : `(${alternatives.join(" | ")})`;
}

/** Controls, which no expression holds. */
const apartOpens = "\u0001";
const apartCloses = "\u0002";

/**
 * An alternative that `Rules.text` makes a rule of its own, one that is not put back in place. xgrammar 0.1.27 merges the
 * states of what stands in one rule, and where two alternatives begin alike and end like a third it merges too much: of
 * "pac" | "qbc" | "qbd" it makes one that takes "pad".
 */
export const apart = (alternative: string): string => `${apartOpens}${alternative}${apartCloses}`;

/** Alternatives in brackets, each apart. */
export const eitherApart = (alternatives: readonly string[]): string =>
  alternatives.length === 1 ? (alternatives[0] ?? "") : either(alternatives.map(apart));

/** Collects named rules. */
export interface Rules {
  /** Adds a rule and returns its name, which begins with `hint`; of the same body that of the rule there is. */
  add(hint: string, body: string): string;
  /** A name whose rule is set later, for rules that refer to themselves. */
  reserve(hint: string): { readonly name: string; set(body: string): void };
  /** All rules as text, `root` first. */
  text(root: string): string;
}

export function createRules(): Rules {
  const rules = new Map<string, string>();
  const names = new Map<string, string>();
  const reserve = (hint: string) => {
    const name = `${hint}_${rules.size}`;
    rules.set(name, '""');
    return { name, set: (body: string) => void rules.set(name, body) };
  };
  return {
    reserve,
    add(hint, body) {
      const known = names.get(body);
      if (known !== undefined) return known;
      const { name, set } = reserve(hint);
      set(body);
      names.set(body, name);
      return name;
    },
    text: (root) => {
      const body = [`root ::= ${root}`, ...Array.from(rules, ([name, rule]) => `${name} ::= ${rule}`)];
      return apartRules(body.join("\n"));
    },
  };
}

/** What is marked by `apart` as rules. The empty rule at their end keeps xgrammar from writing them where they are named. */
function apartRules(text: string): string {
  const names = new Map<string, string>();
  const nameOf = (body: string) => {
    const name = names.get(body) ?? `apart_${names.size}`;
    names.set(body, name);
    return name;
  };
  const [first = "", ...opened] = text.split(apartOpens);
  // What stands before each opening mark that is not closed yet.
  const outer: string[] = [];
  let current = first;
  for (const piece of opened) {
    outer.push(current);
    const [begun = "", ...closed] = piece.split(apartCloses);
    current = begun;
    for (const after of closed) current = `${outer.pop() ?? ""}${nameOf(current)}${after}`;
  }
  return [
    current,
    'nothing ::= ""',
    ...Array.from(names, ([body, name]) => `${name} ::= (${body}) nothing`),
  ].join("\n");
}
