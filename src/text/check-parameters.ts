import { EngineError } from "../errors.ts";

const jsonTypes: readonly unknown[] = ["object", "array", "string", "number", "integer", "boolean", "null"];
/** Keywords of JSON Schema that hold a schema, a list of schemas, or schemas by name. */
const holders: readonly string[] =
  "items additionalProperties not if then else contains propertyNames anyOf oneOf allOf prefixItems unevaluatedItems unevaluatedProperties".split(
    " ",
  );
const maps: readonly string[] = [
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
];
/** Deeper schemas are refused where they are described. */
const maxDepth = 64;

/**
 * Checks that a function's parameters are a JSON schema by its form: an object (or true, false), with types that exist.
 * @throws request-invalid naming the function, the place as a JSON pointer, and the types that there are
 */
export function checkParameters(name: string, parameters: unknown): void {
  if (parameters === undefined || parameters === null || typeof parameters === "boolean") return;
  if (!isRecord(parameters)) throw invalid(name, `are ${JSON.stringify(parameters)}; expected a JSON schema`);
  const wrong = wrongType(parameters, "", 0);
  if (wrong !== undefined)
    throw invalid(
      name,
      `have the type ${JSON.stringify(wrong.type)} at "${wrong.path}"; expected ${jsonTypes.join(", ")}, or a list of these`,
    );
}

interface WrongType {
  readonly path: string;
  readonly type: unknown;
}

function wrongType(schema: unknown, path: string, depth: number): WrongType | undefined {
  if (!isRecord(schema) || depth > maxDepth) return undefined;
  const { type } = schema;
  if (type !== undefined && ![type].flat().every((each) => jsonTypes.includes(each)))
    return { path: `${path}/type`, type };
  for (const [place, inner] of subschemas(schema)) {
    const found = wrongType(inner, `${path}/${place}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function subschemas(schema: Readonly<Record<string, unknown>>): [string, unknown][] {
  const held = holders.flatMap((key): [string, unknown][] => {
    const value = schema[key];
    return Array.isArray(value) ? value.map((item, i) => [`${key}/${i}`, item]) : [[key, value]];
  });
  const named = maps.flatMap((key) => {
    const value = schema[key];
    return isRecord(value)
      ? Object.entries(value).map(([name, inner]): [string, unknown] => [`${key}/${name}`, inner])
      : [];
  });
  return [...held, ...named];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const invalid = (name: string, problem: string) =>
  new EngineError("request-invalid", `The parameters of the function ${name} ${problem}.`, {
    details: { option: "tools", function: name },
  });
