import { EngineError } from "../errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** `value` where it is an object. @throws request-invalid */
export function requireObject(value: unknown, at: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(at, "an object", value);
}

/** A text; undefined where it is absent or null. @throws request-invalid */
export function optionalText(value: unknown, at: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw invalid(at, "a text", value);
}

/** What stood at a place of a conversation's JSON instead of what is expected there. */
export function invalid(at: string, expected: string, value: unknown): EngineError {
  const got = (JSON.stringify(value) ?? "nothing").slice(0, 80);
  return new EngineError(
    "request-invalid",
    `Cannot read the conversation: ${at} must be ${expected}, got ${got}.`,
  );
}
