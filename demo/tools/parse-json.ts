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
  } catch (error) {
    return problem(jsonProblem(text, error instanceof Error ? error.message : String(error)));
  }
}

/** Engines word their errors differently; all of them say where, in one of two ways, or that the text ends too early. */
function jsonProblem(text: string, message: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined) {
    const place = /line (\d+) column (\d+)/.exec(message);
    if (place !== null) return `This is not valid JSON: look at line ${place[1]}, column ${place[2]}.`;
    return /end of (?:JSON|data|input)|unterminated/i.test(message)
      ? "This is not valid JSON: it ends too early. A closing quote or bracket may be missing."
      : `This is not valid JSON: ${message}.`;
  }
  const before = text.slice(0, Number(offset));
  const line = before.split("\n").length;
  const column = Number(offset) - before.lastIndexOf("\n");
  const found = text.charAt(Number(offset));
  const what = found === "" ? "it ends too early" : `${JSON.stringify(found)} is not expected there`;
  return `This is not valid JSON: look at line ${line}, column ${column} (${what}).`;
}

/** A JSON object: neither a list nor null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
