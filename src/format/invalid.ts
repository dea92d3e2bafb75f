import { EngineError, type ErrorDetails } from "../errors.ts";

/** The error of everything in this folder: the checkpoint's own bytes are wrong. */
export function invalid(message: string, details: ErrorDetails = {}, cause?: unknown): EngineError {
  return new EngineError(
    "checkpoint-invalid",
    message,
    cause === undefined ? { details } : { details, cause },
  );
}

/** A value as it reads in a message: JSON, cut to 80 characters. */
export function show(value: unknown): string {
  const text = value === undefined ? "missing" : jsonOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return "a value nested too deeply to show"; // JSON.parse takes any depth, JSON.stringify does not
  }
}
