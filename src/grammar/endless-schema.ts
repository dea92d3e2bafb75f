import { withType } from "./json-types.ts";
import { isObject, schemaError } from "./schema-node.ts";

/**
 * Refuses references whose every value would hold another value of the same reference, and so on without end: a
 * model could begin one and never close it. `schemaAt` gives the schema behind a pointer such as `#/$defs/node`.
 * @throws request-invalid
 */
export function refuseEndless(pointers: Iterable<string>, schemaAt: (pointer: string) => unknown): void {
  const open = new Set(pointers);
  const ends = (schema: unknown) => canEnd(schema, open, schemaAt);
  // Each pass finds those that end by what is known to end already.
  for (let before = -1; before !== open.size; ) {
    before = open.size;
    for (const pointer of open) if (ends(schemaAt(pointer))) open.delete(pointer);
  }
  const [endless] = open;
  if (endless === undefined) return;
  const problem = "every value would hold another of its kind without end; let the reference be optional, or";
  throw schemaError(endless.replace(/^#/, ""), `${problem} give it an alternative in "anyOf"`);
}

/** True where some value is finite, those of `open` references not being known to be. */
function canEnd(schema: unknown, open: ReadonlySet<string>, schemaAt: (pointer: string) => unknown): boolean {
  if (!isObject(schema)) return true;
  const ends = (each: unknown) => canEnd(each, open, schemaAt);
  const { $ref, anyOf, oneOf, allOf, type } = schema;
  if (typeof $ref === "string") return !open.has($ref);
  const choices = anyOf ?? oneOf;
  const targetOf = (each: { $ref?: unknown }) => schemaAt(String(each.$ref));
  if (Array.isArray(choices))
    return choices.some((choice) => {
      const branch = withType(choice, type, targetOf);
      return branch !== undefined && ends(branch);
    });
  if (Array.isArray(allOf)) return allOf.every(ends);
  if (schema.const !== undefined || schema.enum !== undefined) return true;
  const types: unknown[] = type === undefined ? ["object", "array"] : [type].flat();
  if (types.some((name) => name !== "object" && name !== "array")) return true;
  // Without a type, the keywords of one of the two are absent and ask for nothing.
  const parts = types.map((name) => (name === "object" ? membersOf(schema) : itemsOf(schema)));
  return type === undefined
    ? parts.every((list) => list.every(ends))
    : parts.some((list) => list.every(ends));
}

/** Schemas of the members that an object cannot do without. */
function membersOf({ properties, required, additionalProperties, minProperties }: SchemaObject): unknown[] {
  const declared = isObject(properties) ? properties : {};
  const names = Array.isArray(required) ? required.map(String) : [];
  const members = names.map((name) =>
    Object.hasOwn(declared, name) ? declared[name] : additionalProperties,
  );
  return names.length === 0 && Number(minProperties) > 0 ? [additionalProperties] : members;
}

/** Schemas of the items that an array cannot do without. */
function itemsOf({ prefixItems, items, minItems }: SchemaObject): unknown[] {
  const least = Number(minItems ?? 0);
  const first: unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
  return least > first.length ? [...first, items] : first.slice(0, least);
}

type SchemaObject = Readonly<Record<string, unknown>>;
