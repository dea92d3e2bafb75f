import { isObject } from "./schema-node.ts";

export type JsonType = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";

export const jsonTypes: readonly string[] = [
  "object",
  "array",
  "string",
  "number",
  "integer",
  "boolean",
  "null",
];

/** Whether a JSON value is of a type, or of one of a list, as the keyword `type` has them. */
export function isOfType(value: unknown, types: unknown): boolean {
  return [types].flat().some((type) => {
    if (type === "integer") return Number.isInteger(value);
    if (type === "null") return value === null;
    if (type === "array") return Array.isArray(value);
    if (type === "object") return isObject(value);
    return typeof value === type;
  });
}

/** What two values of the keyword `type` have in common; an integer is a number. */
export function commonTypes(a: unknown, b: unknown): unknown[] {
  const others: unknown[] = [b].flat();
  const common = [a].flat().flatMap((type: unknown) => {
    if (others.includes(type) || (type === "integer" && others.includes("number"))) return [type];
    return type === "number" && others.includes("integer") ? ["integer"] : [];
  });
  return [...new Set(common)];
}

/**
 * A branch of `anyOf`, `oneOf` or `allOf` with the type that stands beside them; undefined where no value of that type
 * is valid under the branch. `targetOf` gives the schema that a reference points to, one step far. A reference whose
 * target has such types only is kept, since it may be one to what holds it.
 */
export function withType(branch: unknown, type: unknown, targetOf: (schema: object) => unknown): unknown {
  if (type === undefined) return branch;
  if (branch === true) return { type };
  if (!isObject(branch)) return branch;
  if (branch.$ref !== undefined) {
    const target = targetOf(branch);
    const narrowed = withType(target, type, targetOf);
    return narrowed === target ? branch : narrowed;
  }
  const own = branch.type === undefined ? type : commonTypes(branch.type, type);
  if (Array.isArray(own) && own.length === 0) return undefined;
  const listed = branch.const !== undefined ? [branch.const] : branch.enum;
  if (Array.isArray(listed) && !listed.some((value) => isOfType(value, own))) return undefined;
  const isSame = branch.type !== undefined && JSON.stringify([branch.type].flat()) === JSON.stringify(own);
  return isSame ? branch : { ...branch, type: own };
}
