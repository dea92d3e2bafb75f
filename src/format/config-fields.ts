import { invalid, show } from "./invalid.ts";

/** Reads checked fields of one JSON object; every error names the field. */
export interface Fields {
  /** The raw value; null counts as absent, as transformers writes it. */
  raw(name: string): unknown;
  has(name: string): boolean;
  /** A whole number from `min` to `max`. */
  integer(
    name: string,
    limits?: { readonly min?: number; readonly max?: number; readonly fallback?: number },
  ): number;
  /** A finite number above 0. */
  positive(name: string, fallback?: number): number;
  flag(name: string, fallback: boolean): boolean;
  /** An object inside this one, or undefined where it is absent. */
  object(name: string): Fields | undefined;
  /** Throws unless the field is absent or one of `allowed`. */
  only(name: string, allowed: readonly unknown[], why: string): void;
}

/** Sizes above this are refused: no such model exists, and products must stay exact numbers. */
const maxSize = 2 ** 24;

/**
 * A reader of the fields of `json`; `path` is put in front of names in messages, e.g. `config.json: `.
 * @throws checkpoint-invalid
 */
export function readFields(json: unknown, file: string, prefix = ""): Fields {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    const what = prefix === "" ? "the file" : prefix.slice(0, -1);
    throw invalid(`${file}: ${what} must be a JSON object, but is ${show(json)}.`, { file });
  }
  const values = new Map<string, unknown>(Object.entries(json));
  const raw = (name: string) => values.get(name) ?? undefined;
  const fail = (name: string, expected: string) => wrongField(file, `${prefix}${name}`, expected, raw(name));
  return {
    raw,
    has: (name) => raw(name) !== undefined,
    integer(name, { min = 1, max = maxSize, fallback } = {}) {
      const value = raw(name) ?? fallback;
      if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
        throw fail(name, `a whole number from ${min} to ${max}`);
      }
      return value;
    },
    positive(name, fallback) {
      const value = raw(name) ?? fallback;
      if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
        throw fail(name, "a number above 0");
      return value;
    },
    flag(name, fallback) {
      const value = raw(name) ?? fallback;
      if (typeof value !== "boolean") throw fail(name, "true or false");
      return value;
    },
    object(name) {
      const value = raw(name);
      return value === undefined ? undefined : readFields(value, file, `${prefix}${name}.`);
    },
    only(name, allowed, why) {
      const value = raw(name);
      if (value !== undefined && !allowed.includes(value)) {
        throw fail(name, `${allowed.map(show).join(" or ")} (${why})`);
      }
    },
  };
}

/** The error for one field of a JSON file. */
export function wrongField(file: string, field: string, expected: string, got: unknown) {
  return invalid(`${file}: ${field} must be ${expected}, but is ${show(got)}.`, { file, field });
}

/** Token ids given as one number, a list, or not at all. */
export function readTokenIds(fields: Fields, file: string, name: string): number[] {
  const value = fields.raw(name);
  const ids: unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const known = ids.filter((id): id is number => typeof id === "number" && Number.isInteger(id) && id >= 0);
  if (known.length !== ids.length || known.some((id) => id > maxSize)) {
    throw wrongField(file, name, "a token id or a list of them", value);
  }
  return [...new Set(known)];
}
