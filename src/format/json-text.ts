import { invalid } from "./invalid.ts";

/** Most characters accepted of config.json, generation_config.json and the shard index. */
export const maxJsonChars = 25_000_000;

/**
 * Parses a JSON file of a checkpoint; a key that one object names twice is an error, since JSON.parse keeps
 * the last silently and two readers of the same file could disagree.
 * @throws checkpoint-invalid
 */
export function parseJsonText(file: string, text: string, maxChars = maxJsonChars): unknown {
  if (text.length > maxChars) {
    throw invalid(`${file} has ${text.length} characters; at most ${maxChars} are accepted.`, { file });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`${file} is not valid JSON: ${reason}.`, { file }, cause);
  }
  const { duplicateKey } = scanJson(text);
  if (duplicateKey !== undefined) {
    throw invalid(`${file} names the key "${duplicateKey}" twice in one object.`, {
      file,
      key: duplicateKey,
    });
  }
  return value;
}

export interface JsonScan {
  /** The first key that an object holds twice, at any depth. */
  readonly duplicateKey: string | undefined;
  /** The first number that is not written as plain digits: a sign, a point or an exponent. */
  readonly oddNumber: string | undefined;
}

/** Finds in valid JSON what JSON.parse hides. The text must already have passed JSON.parse. */
export function scanJson(text: string): JsonScan {
  // One entry per open bracket: the keys of an object, or undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let oddNumber: string | undefined;
  let expectsKey = false;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') {
      const end = stringEnd(text, at);
      const keys = open.at(-1);
      if (expectsKey && keys !== undefined) {
        const key = plainString(text.slice(at, end));
        if (keys.has(key)) return { duplicateKey: key, oddNumber };
        keys.add(key);
        expectsKey = false;
      }
      at = end;
      continue;
    }
    if (char === "-" || (char >= "0" && char <= "9")) {
      const end = numberEnd(text, at);
      const number = text.slice(at, end);
      if (oddNumber === undefined && !/^\d+$/.test(number)) oddNumber = number;
      at = end;
      continue;
    }
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    if (char === "{" || char === ",") expectsKey = open.at(-1) !== undefined;
    at += 1;
  }
  return { duplicateKey: undefined, oddNumber };
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}

function numberEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && "+-.eE0123456789".includes(text.charAt(at))) at += 1;
  return at;
}

/** The value of a string literal: two spellings of one key (`a`, `\u0061`) must compare equal. */
function plainString(literal: string): string {
  return literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1);
}
