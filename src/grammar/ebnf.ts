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

/** Collects named rules. */
export interface Rules {
  /** Adds a rule and returns its name, which begins with `hint`. */
  add(hint: string, body: string): string;
  /** A name whose rule is set later, for rules that refer to themselves. */
  reserve(hint: string): { readonly name: string; set(body: string): void };
  /** All rules as text, `root` first. */
  text(root: string): string;
}

export function createRules(): Rules {
  const rules = new Map<string, string>();
  const reserve = (hint: string) => {
    const name = `${hint}_${rules.size}`;
    rules.set(name, '""');
    return { name, set: (body: string) => void rules.set(name, body) };
  };
  return {
    reserve,
    add(hint, body) {
      const { name, set } = reserve(hint);
      set(body);
      return name;
    },
    text: (root) =>
      [`root ::= ${root}`, ...Array.from(rules, ([name, body]) => `${name} ::= ${body}`)].join("\n"),
  };
}
