import { EngineError } from "../errors.ts";

/** An object schema and where it stands in the whole, as a JSON pointer. */
export interface SchemaNode {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly path: string;
}

/** Writes the expression of a schema at a place. */
export type WriteSchema = (schema: unknown, path: string, depth: number) => string;

/** Bounds that keep compilation short: far above what people write, far below what breaks the compiler. */
export const schemaLimits = {
  characters: 200_000,
  /** Of objects and lists within each other, in the schema's JSON. */
  levels: 512,
  depth: 64,
  nodes: 4000,
  repeats: 10_000,
  /** Characters of all patterns, their repetitions written out. */
  positions: 10_000,
} as const;

/** A schema that cannot be enforced. Names the place, the problem and, where there is one, a way out. */
export function schemaError(path: string, problem: string): EngineError {
  const place = path === "" ? "its top level" : path;
  return new EngineError("request-invalid", `The JSON schema cannot be enforced: at ${place}, ${problem}.`, {
    details: { path },
  });
}

/** JSON Schema keywords that restrict values in ways that are not enforced here. Words that are no keyword mean nothing. */
const unsupported: ReadonlySet<string> = new Set([
  "$dynamicRef",
  "$recursiveRef",
  "additionalItems",
  "contains",
  "dependencies",
  "dependentRequired",
  "dependentSchemas",
  "else",
  "if",
  "maxContains",
  "minContains",
  "multipleOf",
  "not",
  "patternProperties",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
  "uniqueItems",
]);

/** True for keywords whose value asks for nothing. */
const isIdle = (keyword: string, value: unknown): boolean =>
  (keyword === "uniqueItems" && value === false) ||
  (keyword === "additionalItems" && value === false) ||
  (keyword.startsWith("unevaluated") && value === true) ||
  (keyword === "multipleOf" && value === 1);

/** @throws request-invalid where the schema uses a keyword that is not enforced */
export function refuseUnsupported({ schema, path }: SchemaNode): void {
  const isRefused = (key: string) =>
    unsupported.has(key) && schema[key] !== undefined && !isIdle(key, schema[key]);
  const found = Object.keys(schema).filter(isRefused);
  if (found.length === 0) return;
  throw schemaError(path, `${found.map((key) => `"${key}"`).join(" and ")} is not supported; leave it out`);
}

/**
 * A schema with `unevaluatedProperties: false` and `unevaluatedItems: false` as what they are where no branch or reference
 * stands beside them: the same for `additionalProperties` and `items`. Elsewhere they stay, and are refused.
 */
export function closed(schema: SchemaNode["schema"]): SchemaNode["schema"] {
  const { unevaluatedProperties, unevaluatedItems, ...rest } = schema;
  if (["$ref", "anyOf", "oneOf", "allOf"].some((key) => schema[key] !== undefined)) return schema;
  return {
    ...(unevaluatedProperties === false ? { additionalProperties: false } : { unevaluatedProperties }),
    ...(unevaluatedItems === false ? { items: false } : { unevaluatedItems }),
    // These two hold first, and leave nothing unevaluated.
    ...rest,
  };
}

/** The keywords of a schema that restrict values, but for those named. */
export function assertionsBeside({ schema }: SchemaNode, ...names: string[]): string[] {
  const known = [...assertionKeywords];
  return known.filter((key) => schema[key] !== undefined && !names.includes(key));
}

const assertionKeywords: ReadonlySet<string> = new Set([
  "$ref",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "enum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "format",
  "items",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "multipleOf",
  "oneOf",
  "pattern",
  "prefixItems",
  "properties",
  "required",
  "type",
]);

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A keyword's value as a whole number from 0, or its default. @throws request-invalid */
export function count({ schema, path }: SchemaNode, key: string): number | undefined {
  const value = schema[key];
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || Number(value) < 0)
    throw schemaError(path, `"${key}" must be a whole number from 0, got ${JSON.stringify(value)}`);
  return Number(value);
}

/** A count that is a number of repetitions in the grammar. @throws request-invalid */
export function repeats(node: SchemaNode, key: string): number | undefined {
  const value = count(node, key);
  if (value !== undefined && value > schemaLimits.repeats)
    throw schemaError(node.path, `"${key}" is ${value}, but at most ${schemaLimits.repeats} is supported`);
  return value;
}

/** A keyword's value as a number. @throws request-invalid */
export function numberAt({ schema, path }: SchemaNode, key: string): number | undefined {
  const value = schema[key];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw schemaError(path, `"${key}" must be a number, got ${JSON.stringify(value)}`);
  return value;
}

/** The last step of a JSON pointer. */
export const step = (path: string, ...keys: readonly (string | number)[]): string =>
  [path, ...keys.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1"))].join("/");
