import { EngineError } from "../errors.ts";

/** Looks at a value that is there: what was expected instead, and where; undefined where the value is right. */
export type Rule = (value: unknown, path: string) => Problem | undefined;

/** One wrong option: its place, such as `reasoning.maxTokens`, what it is and what it should be. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** A rule for every option of a type. */
export type OptionTable<T> = { readonly [Key in keyof Required<T>]: Rule };

type Table = Readonly<Record<string, Rule>>;

/**
 * Checks an object of options from outside: unknown names, values that are none of an option's, and missing ones. Options
 * that are undefined count as not given.
 * @param what what the caller attempted, such as `load a model`
 * @throws request-invalid naming the option, what was got and what is expected; `details.option` is its place
 */
export function checkOptions(what: string, options: unknown, table: Table, required: readonly string[] = []) {
  const problem = objectOf(table, required)(options, "");
  if (problem === undefined) return;
  throw new EngineError("request-invalid", `Cannot ${what}: ${problem.message}.`, {
    details: { option: problem.path },
  });
}

/** A rule of one test. */
export const expecting =
  (expected: string, fits: (value: unknown) => boolean): Rule =>
  (value, path) =>
    fits(value) ? undefined : wrong(path, value, expected);

export const oneOf = (...words: readonly string[]): Rule =>
  expecting(listed(words), (value) => words.some((word) => word === value));
export const flag = expecting("true or false", (value) => typeof value === "boolean");
export const text = expecting("a text", (value) => typeof value === "string");
export const anything = expecting("anything", () => true);
export const callback = expecting("a function", (value) => typeof value === "function");
export const anObject = expecting("an object", isObject);
/** NaN and infinities are left to whoever knows the bounds. */
export const aNumber = expecting("a number", (value) => typeof value === "number");
export const aBound = expecting(
  "a number from 0",
  (value) => typeof value === "number" && !Number.isNaN(value) && value >= 0,
);
export const abortSignal = expecting(
  "an AbortSignal",
  (value) => isObject(value) && "aborted" in value && "addEventListener" in value,
);

export const wholeNumber = (least: number, most: number): Rule =>
  expecting(
    `a whole number from ${least}${most === Number.POSITIVE_INFINITY ? "" : ` to ${most}`}`,
    (value) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most,
  );

export const listOf =
  (rule: Rule, expected: string): Rule =>
  (value, path) => {
    if (!Array.isArray(value)) return wrong(path, value, expected);
    for (const [i, item] of value.entries()) {
      const problem = rule(item, `${path}[${i}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };

/** An object whose fields are those of a table; `open` lets others through. */
export const objectOf =
  (table: Table, required: readonly string[] = [], { open = false } = {}): Rule =>
  (value, path) => {
    if (!isObject(value)) return wrong(path, value, `an object with ${Object.keys(table).join(", ")}`);
    for (const [name, field] of Object.entries(value)) {
      const place = path === "" ? name : `${path}.${name}`;
      const rule = Object.hasOwn(table, name) ? table[name] : undefined;
      if (rule === undefined && !open) return unknown(place, name, Object.keys(table));
      const problem = field === undefined ? undefined : rule?.(field, place);
      if (problem !== undefined) return problem;
    }
    const missing = required.find((name) => value[name] === undefined);
    if (missing === undefined) return undefined;
    const place = path === "" ? missing : `${path}.${missing}`;
    return { ...(table[missing]?.(undefined, place) ?? wrong(place, undefined, "a value")), path: place };
  };

/** What is wrong with a value. */
export const wrong = (path: string, value: unknown, expected: string): Problem => ({
  path,
  message: `${path === "" ? "what was given" : path} ${value === undefined ? "is missing" : `is ${shown(value)}`}; expected ${expected}`,
});

function unknown(path: string, name: string, names: readonly string[]): Problem {
  const near = nearest(name, names);
  const hint = near === undefined ? `there are ${names.join(", ")}` : `the nearest is ${near}`;
  return { path, message: `there is no option ${path}; ${hint}` };
}

/** The name that a misspelt one most likely means; undefined where none is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, name.length / 3) ? best.known : undefined;
}

/** Levenshtein's: letters to be inserted, deleted or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listed(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  return quoted.length === 1 ? `${quoted[0]}` : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

/** A value in a few characters. */
function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "number")
    return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return `an object with ${Object.keys(value).join(", ") || "nothing in it"}`;
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
