import { invalid, type JsonObject, requireObject, show } from "./tokenizer-errors.ts";

/** GPT-2's split, which a ByteLevel step makes unless told otherwise. */
const byteLevelPattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const foldedBeyondAscii: Readonly<Record<string, string>> = { s: "\u017f", k: "\u212a" };
const syntax = /[$()*+./?[\\\]^{|}-]/;

/**
 * The patterns that a tokenizer.json cuts text by before it looks for tokens, in order: each match and each
 * stretch between matches is a piece for the next one.
 * @throws tokenizer-invalid for steps that would change the text or that are not known here
 */
export function splitPatterns(preTokenizer: JsonObject): RegExp[] {
  const steps = preTokenizer.type === "Sequence" ? preTokenizer.pretokenizers : [preTokenizer];
  if (!Array.isArray(steps)) throw invalid("pre_tokenizer.pretokenizers must be a list");
  const objects = steps.map((step: unknown) => requireObject(step, "a pre_tokenizer step"));
  if (!objects.some((step) => step.type === "ByteLevel"))
    throw invalid("pre_tokenizer must have a ByteLevel step");
  return objects.flatMap(stepPattern);
}

function stepPattern(step: JsonObject): RegExp[] {
  switch (step.type) {
    case "ByteLevel":
      if (step.add_prefix_space === true) throw invalid("pre_tokenizer.add_prefix_space must be false");
      return step.use_regex === false ? [] : [compile(byteLevelPattern)];
    case "Split": {
      if (step.behavior !== "Isolated" || (step.invert ?? false) !== false)
        throw invalid(
          `a Split step must have behavior "Isolated" without invert, got ${show(step.behavior)}`,
        );
      const pattern = requireObject(step.pattern, "the pattern of a Split step");
      if (typeof pattern.Regex === "string") return [compile(pattern.Regex)];
      if (typeof pattern.String === "string") return [compile(pattern.String.replace(/\W/g, "\\$&"))];
      throw invalid(`a Split step must have a Regex or a String, got ${show(pattern)}`);
    }
    default:
      throw invalid(`the pre_tokenizer step ${show(step.type)} is unknown; Split and ByteLevel are known`);
  }
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(toJavaScript(pattern), "gu");
  } catch (error) {
    throw invalid(`the encoder cannot be built from the pattern ${show(pattern)} (${String(error)})`, error);
  }
}

/**
 * A pattern of the usual regex libraries in JavaScript's syntax. White space means Unicode's White_Space (`\s`
 * of JavaScript has U+FEFF and lacks U+0085), and `(?i:…)`, which not all engines have, is written out.
 */
export function toJavaScript(pattern: string): string {
  let folding = 0;
  let depth = 0;
  return pattern.replace(/\\[pP]\{[^}]*\}|\\.|\(\?i:|[()]|[a-zA-Z]/gsu, (part) => {
    if (part === "\\s") return "\\p{White_Space}";
    if (part === "\\S") return "\\P{White_Space}";
    if (part.startsWith("\\")) return isPlainEscape(part) ? part.slice(1) : part;
    if (part === "(?i:") {
      depth += 1;
      folding = depth;
      return "(?:";
    }
    if (part === "(") depth += 1;
    else if (part === ")") {
      if (folding === depth) folding = 0;
      depth -= 1;
    } else if (folding > 0) return anyCase(part);
    return part;
  });
}

/** JavaScript refuses an escape before a character that needs none. */
function isPlainEscape(part: string): boolean {
  return !/^\\\w/.test(part) && !syntax.test(part.slice(1));
}

function anyCase(letter: string): string {
  const lower = letter.toLowerCase();
  return `[${lower}${letter.toUpperCase()}${foldedBeyondAscii[lower] ?? ""}]`;
}

/** Calls `visit` with the pieces of a text, in order; together they are the text. */
export function visitPieces(text: string, patterns: readonly RegExp[], visit: (piece: string) => void): void {
  visitLevel(text, patterns, 0, visit);
}

function visitLevel(
  text: string,
  patterns: readonly RegExp[],
  level: number,
  visit: (piece: string) => void,
): void {
  const pattern = patterns[level];
  if (pattern === undefined) {
    if (text !== "") visit(text);
    return;
  }
  const deeper = (piece: string): void =>
    level + 1 === patterns.length ? visit(piece) : visitLevel(piece, patterns, level + 1, visit);
  let at = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const piece = match[0];
    if (piece === "") {
      // A whole character: from inside a surrogate pair the same match would come again.
      pattern.lastIndex += (text.codePointAt(pattern.lastIndex) ?? 0) > 0xffff ? 2 : 1;
      continue;
    }
    if (match.index > at) deeper(text.slice(at, match.index));
    deeper(piece);
    at = pattern.lastIndex;
  }
  if (at < text.length) deeper(text.slice(at));
}
