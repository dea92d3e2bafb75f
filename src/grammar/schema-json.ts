import { isObject, schemaError, schemaLimits } from "./schema-node.ts";

/**
 * A copy of a schema as JSON has it.
 * @throws request-invalid where it is not JSON, or larger or deeper than what is supported
 */
export function schemaJson(schema: unknown): unknown {
  const text = asText(schema);
  if (text === undefined || (!isObject(schema) && typeof schema !== "boolean"))
    throw schemaError("", `a schema must be an object, got ${text ?? typeof schema}`);
  if (text.length > schemaLimits.characters)
    throw schemaError("", `the schema has ${text.length} characters, more than ${schemaLimits.characters}`);
  const copy: unknown = JSON.parse(text);
  checkParts(copy, text.includes('"$ref"'));
  return copy;
}

function asText(schema: unknown): string | undefined {
  try {
    return JSON.stringify(schema) as string | undefined;
  } catch (error) {
    // Circular, a BigInt, or nested deeper than the stack.
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw schemaError("", `the schema cannot be written as JSON (${reason})`);
  }
}

/** Level by level, without recursion: what follows recurses. */
function checkParts(root: unknown, hasReferences: boolean): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > schemaLimits.levels)
      throw schemaError("", `its JSON is nested more than ${schemaLimits.levels} deep`);
    // References below an $id start from there, not from the top.
    if (hasReferences && depth > 0 && level.some((part) => isObject(part) && typeof part.$id === "string"))
      throw schemaError("", '"$id" below the top is not supported together with "$ref"');
    level = level
      .flatMap((part): unknown[] => (typeof part === "object" && part !== null ? Object.values(part) : []))
      .filter((part) => typeof part === "object" && part !== null);
  }
}
