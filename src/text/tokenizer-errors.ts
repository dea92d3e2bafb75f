import { EngineError } from "../errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A tokenizer-invalid error: what was expected of the file and what it has. */
export function invalid(problem: string, cause?: unknown): EngineError {
  const message = `Cannot use this tokenizer.json: ${problem}. Use the tokenizer.json published with the checkpoint.`;
  return new EngineError("tokenizer-invalid", message, cause === undefined ? {} : { cause });
}

/** `value` where it is an object. @throws tokenizer-invalid */
export function requireObject(value: unknown, name: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(`${name} must be an object, got ${show(value)}`);
}

/** A value as short JSON. */
export function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
