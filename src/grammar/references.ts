import { assertionsBeside, isObject, refuseUnsupported, schemaError } from "./schema-node.ts";

/** The schemas that `$ref` points to. */
export interface References {
  /** What a pointer such as `#/$defs/node` points to. @throws request-invalid at `path` where that is nothing */
  at(pointer: string, path: string): unknown;
  /** What a schema with `$ref` points to, one step far. @throws request-invalid */
  target(schema: object, path: string): unknown;
  /** A schema, or what is behind its reference, however many steps away. @throws request-invalid */
  resolved(schema: unknown, path: string): unknown;
}

/** References within a schema. Keywords beside one hold too, so those that restrict values are refused. */
export function createReferences(root: unknown): References {
  const at = (pointer: string, path: string) => lookUp(root, pointer, path);

  function target(schema: object, path: string): unknown {
    const node = { schema: schema as Readonly<Record<string, unknown>>, path };
    const pointer = node.schema.$ref;
    if (typeof pointer !== "string" || !/^#(\/|$)/.test(pointer))
      throw schemaError(
        path,
        `"$ref" must point into this schema (#/$defs/…), got ${JSON.stringify(pointer)}`,
      );
    refuseUnsupported(node);
    const [beside] = assertionsBeside(node, "$ref");
    if (beside !== undefined)
      throw schemaError(path, `"$ref" together with "${beside}" is not supported; merge them`);
    return at(pointer, path);
  }

  function resolved(schema: unknown, path: string): unknown {
    const seen = new Set<unknown>();
    let current = schema;
    let place = path;
    while (isObject(current) && current.$ref !== undefined) {
      const pointer = String(current.$ref);
      if (seen.has(pointer)) throw schemaError(path, `"$ref" ${pointer} refers to itself`);
      seen.add(pointer);
      current = target(current, place);
      place = pointer.slice(1);
    }
    return current;
  }

  return { at, target, resolved };
}

function lookUp(root: unknown, pointer: string, path: string): unknown {
  let current = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = decoded(part, pointer, path);
    const holder = current as Record<string, unknown>;
    if (typeof current !== "object" || current === null || !Object.hasOwn(holder, key))
      throw schemaError(path, `"$ref" ${pointer} points to nothing`);
    current = holder[key];
  }
  return current;
}

function decoded(part: string, pointer: string, path: string): string {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    throw schemaError(path, `"$ref" ${pointer} is no URI; a percent sign is written %25`);
  }
}
