const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/uy;
const space = /[ \t\n\r]*/y;

/** Offset of the first character at which a text stops being JSON; its length where it ends too early or is JSON. */
export function jsonErrorOffset(text: string): number {
  let at = 0;

  /** The next token's kind; undefined where there is none, `at` then being the place. */
  function next(): string | undefined {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) {
      space.lastIndex = at;
      space.exec(text);
      at = space.lastIndex;
      return undefined;
    }
    at = token.lastIndex;
    return found[1] ?? (found[2] === undefined ? "literal" : "string");
  }

  /** Takes one of these tokens, or stays before what stands there instead. */
  function take(kinds: readonly string[]): string | undefined {
    const before = at;
    const kind = next();
    if (kind === undefined || kinds.includes(kind)) return kind;
    space.lastIndex = before;
    space.exec(text);
    at = space.lastIndex;
    return undefined;
  }

  // What closes each open bracket; the text is read as a row of steps, so that no depth is too deep.
  const open: string[] = [];
  let wanted: readonly string[] = ["{", "[", "string", "literal"];
  for (;;) {
    const kind = take(wanted);
    if (kind === undefined) return at;
    const values = ["{", "[", "string", "literal"];
    const isKey = kind === "string" && open.at(-1) === "}" && wanted[0] === "string";
    if (kind === "{") wanted = ["string", open[open.push("}") - 1] ?? "}"];
    else if (kind === "[") wanted = [...values, open[open.push("]") - 1] ?? "]"];
    else if (kind === ":") wanted = values;
    else if (kind === ",") wanted = open.at(-1) === "}" ? ["string"] : values;
    else if (isKey) wanted = [":"];
    else {
      if (kind === "}" || kind === "]") open.pop();
      const closing = open.at(-1);
      wanted = closing === undefined ? [] : [",", closing];
    }
  }
}
