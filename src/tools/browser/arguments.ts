import type { ToolCall } from "../../text/chat-types.ts";
import { ToolFailure } from "../types.ts";

/** A call's arguments, read by name with their defaults. */
export interface Arguments {
  value(name: string): unknown;
  string(name: string): string;
  number(name: string, byDefault: number): number;
  boolean(name: string, byDefault: boolean): boolean;
  numberOrString(name: string, byDefault: number): number | string;
}

/** @throws ToolFailure, also when read: for what is no JSON object; unknown arguments are ignored, null stands for a default */
export function readArguments(call: ToolCall): Arguments {
  let parsed: unknown;
  try {
    parsed = call.arguments.trim() === "" ? {} : JSON.parse(call.arguments);
  } catch {
    throw invalidArguments();
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw invalidArguments();
  const values = new Map(Object.entries(parsed));
  const value = (name: string): unknown => values.get(name) ?? undefined;
  const numberOrString = (name: string, byDefault: number): number | string => {
    const given = value(name) ?? byDefault;
    if (typeof given === "string") return /^-?\d+$/.test(given.trim()) ? Number(given) : given;
    if (typeof given !== "number") throw invalidArguments();
    return Math.trunc(given);
  };
  return {
    value,
    numberOrString,
    string(name) {
      const given = value(name);
      if (typeof given !== "string") throw invalidArguments();
      return given;
    },
    number(name, byDefault) {
      const given = numberOrString(name, byDefault);
      if (typeof given === "number") return given;
      throw new ToolFailure(`\`${name}\` should be an integer, not \`str\``);
    },
    boolean: (name, byDefault) => (value(name) ?? byDefault) === true,
  };
}

function invalidArguments(): ToolFailure {
  return errorObject("Invalid function arguments");
}

/** The reference tool's error, as Python writes it. */
export function errorObject(message: string): ToolFailure {
  return new ToolFailure(`{"error": ${JSON.stringify(message)}}`);
}
