import { isObject, type SchemaNode, schemaError } from "./schema-node.ts";

/**
 * `oneOf` wants exactly one branch to be valid, which a grammar grants only where no value is valid under two: branches
 * of different types, of different listed values, or objects that a required property with listed values tells apart.
 * @throws request-invalid where two branches may overlap
 */
export function checkDisjoint({ schema, path }: SchemaNode, resolve: (schema: unknown) => unknown): void {
  const branches = Array.isArray(schema.oneOf) ? schema.oneOf.map(resolve) : [];
  branches.forEach((a, i) => {
    branches.slice(i + 1).forEach((b, j) => {
      if (!areDisjoint(a, b, resolve))
        throw schemaError(
          path,
          `a value may be valid under branches ${i} and ${i + 1 + j} of "oneOf"; use "anyOf", or give each a property with a "const" of its own`,
        );
    });
  });
}

function areDisjoint(a: unknown, b: unknown, resolve: (schema: unknown) => unknown): boolean {
  if (!isObject(a) || !isObject(b)) return false;
  const [listA, listB] = [listed(a), listed(b)];
  if (listA !== undefined && listB !== undefined) return !listA.some((value) => listB.includes(value));
  const [typesA, typesB] = [typesOf(a), typesOf(b)];
  if (typesA !== undefined && typesB !== undefined && !typesA.some((type) => typesB.includes(type)))
    return true;
  if (!shareObjectsOnly(a, b) || !shareObjectsOnly(b, a)) return false;
  const { properties: ofA, required: neededA = [] } = a;
  const { properties: ofB, required: neededB = [] } = b;
  if (!isObject(ofA) || !isObject(ofB) || !Array.isArray(neededA) || !Array.isArray(neededB)) return false;
  return Object.keys(ofA).some((name) => {
    if (!neededA.includes(name) || !neededB.includes(name)) return false;
    const [left, right] = [resolve(ofA[name]), resolve(ofB[name])];
    return (
      isObject(left) && isObject(right) && listed(left) !== undefined && areDisjoint(left, right, resolve)
    );
  });
}

/** True where of what `a` generates, which without a type is an object, only objects may be valid under `b`. */
function shareObjectsOnly(a: SchemaObject, b: SchemaObject): boolean {
  const valid = typesOf(b);
  const shared = (typesOf(a) ?? ["object"]).filter((type) => valid === undefined || valid.includes(type));
  return shared.every((type) => type === "object");
}

/** The values of `const` or `enum` as JSON texts, of which those of equal values are equal. */
function listed(schema: SchemaObject): string[] | undefined {
  if (schema.const !== undefined) return [equalText(schema.const)];
  return Array.isArray(schema.enum) ? schema.enum.map(equalText) : undefined;
}

/** Types a schema allows, an integer being a number; undefined where it names none. */
function typesOf(schema: SchemaObject): unknown[] | undefined {
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  if (Array.isArray(values)) return values.map(typeOfValue);
  if (schema.type === undefined) return undefined;
  return [schema.type].flat().map((type) => (type === "integer" ? "number" : type));
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** JSON with the members of objects in order. */
const equalText = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );

type SchemaObject = Readonly<Record<string, unknown>>;
