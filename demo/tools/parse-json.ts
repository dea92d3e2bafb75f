import { jsonErrorOffset } from "./json-error.ts";

/** A value read from a field, or what is wrong with it in plain words. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const problem = (text: string): Parsed<never> => ({ ok: false, problem: text });

/** Pasted JSON. A mistake is named by its line and column, as editors count them. */
export function parseJson(text: string): Parsed<unknown> {
  try {
    return parsed(JSON.parse(text));
  } catch {
    return problem(jsonProblem(text)); // browsers word their errors differently, and few say where
  }
}

function jsonProblem(text: string): string {
  const offset = jsonErrorOffset(text);
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  const found = [...text.slice(offset, offset + 2)][0];
  if (found === undefined)
    return "This is not valid JSON: it ends too early. A closing quote or bracket may be missing.";
  return `This is not valid JSON: look at line ${line}, column ${column} (${found} is not expected there, or not complete).`;
}

/** A JSON object: neither a list nor null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
