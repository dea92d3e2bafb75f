import { isObject } from "./schema-node.ts";

/** Code points of a string: at least and at most. */
export interface StringLimit {
  readonly least: number;
  readonly most: number;
}

/** Schemas that hold for one value, references and branches followed. */
export type Schemas = readonly Readonly<Record<string, unknown>>[];

/** Which schemas and limits hold at a place of a JSON text. */
export interface StringLimits {
  readonly root: Schemas;
  member(schemas: Schemas, key: string): Schemas;
  item(schemas: Schemas, index: number): Schemas;
  limit(schemas: Schemas): StringLimit | undefined;
}

const scalars: readonly unknown[] = ["null", "boolean", "integer", "number"];

/**
 * True where one schema at most says what a string at a place may be, since of every `anyOf` and `oneOf` only one branch
 * may be other than null, boolean or number. Then lengths can be counted apart from the grammar.
 */
export function hasPlainBranches(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(hasPlainBranches);
  if (!isObject(schema)) return true;
  const unions = [schema.anyOf, schema.oneOf].filter(Array.isArray) as unknown[][];
  return (
    unions.every((branches) => branches.filter((branch) => !isScalar(branch)).length <= 1) &&
    Object.values(schema).every(hasPlainBranches)
  );
}

/** True for schemas under which no string, list or object is valid. */
const isScalar = (schema: unknown): boolean =>
  isObject(schema) && [schema.type].flat().every((type) => scalars.includes(type));

/** The limits of a schema that `hasPlainBranches`, and whose grammar exists. */
export function stringLimits(root: unknown): StringLimits {
  const follow = (schema: unknown): Schemas => {
    if (!isObject(schema)) return [];
    if (typeof schema.$ref === "string") return follow(target(root, schema.$ref));
    const branches = [schema.anyOf, schema.oneOf, schema.allOf].flat().filter((each) => each !== undefined);
    // What scalars say of lengths, members and items is idle.
    return branches.length > 0 ? branches.filter((each) => !isScalar(each)).flatMap(follow) : [schema];
  };
  return {
    root: follow(root),
    member: (schemas, key) =>
      schemas.flatMap(({ properties, additionalProperties }) =>
        follow(
          isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties,
        ),
      ),
    item: (schemas, index) =>
      schemas.flatMap(({ prefixItems, items }) =>
        follow(Array.isArray(prefixItems) && index < prefixItems.length ? prefixItems[index] : items),
      ),
    limit(schemas) {
      const found = schemas.find(
        ({ minLength, maxLength }) => minLength !== undefined || maxLength !== undefined,
      );
      if (found === undefined || found.enum !== undefined || found.const !== undefined) return undefined;
      return {
        least: Number(found.minLength ?? 0),
        most: Number(found.maxLength ?? Number.POSITIVE_INFINITY),
      };
    },
  };
}

function target(root: unknown, pointer: string): unknown {
  let current = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    current =
      isObject(current) || Array.isArray(current) ? (current as Record<string, unknown>)[key] : undefined;
  }
  return current;
}
