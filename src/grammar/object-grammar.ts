import { either, jsonText, literal, type Rules } from "./ebnf.ts";
import { isObject, repeats, type SchemaNode, schemaError, step, type WriteSchema } from "./schema-node.ts";

interface Context {
  readonly rules: Rules;
  readonly write: WriteSchema;
  readonly depth: number;
}

/**
 * The expression of an object: declared properties in their order, optional ones there or not. Where none is declared, a
 * map from strings to values of `additionalProperties`.
 */
export function objectBody(node: SchemaNode, context: Context): string {
  const { schema, path } = node;
  const { properties = {}, required = [] } = schema;
  if (!isObject(properties)) throw schemaError(path, '"properties" must be an object');
  if (!Array.isArray(required) || required.some((name) => typeof name !== "string"))
    throw schemaError(path, '"required" must be a list of names');
  const names = Object.keys(properties);
  const needed = [...new Set(required as string[])];
  const undeclared = needed.filter((name) => !Object.hasOwn(properties, name));
  const most = repeats(node, "maxProperties");
  const least = repeats(node, "minProperties") ?? 0;
  if (names.length === 0 && undeclared.length === 0) return mapBody(node, context, least, most);
  if (least > needed.length)
    throw schemaError(path, `"minProperties" above the number of required ones is not supported`);
  if (most !== undefined && most < names.length + undeclared.length)
    throw schemaError(path, `"maxProperties" below the number of declared ones is not supported`);
  const additional = undeclaredSchema(node, undeclared);
  const pairs = [...names, ...undeclared].map((name) => {
    const value = Object.hasOwn(properties, name)
      ? context.write(properties[name], step(path, "properties", name), context.depth + 1)
      : context.write(additional, step(path, "additionalProperties"), context.depth + 1);
    return {
      text: `${literal(jsonText(name))} ":" ws ${value}`,
      isRequired: needed.includes(name),
    };
  });
  return context.rules.add("object", `"{" ws ${members(pairs, context.rules)} "}"`);
}

/** What a required property that is not declared may hold. */
function undeclaredSchema({ schema, path }: SchemaNode, names: readonly string[]): unknown {
  const { additionalProperties = true } = schema;
  if (names.length > 0 && additionalProperties === false)
    throw schemaError(path, `"${names[0]}" is required, but not declared, and no others are allowed`);
  return additionalProperties;
}

/**
 * The members in order. Two rules a property: for the first member of the object, and for those after a comma; so the
 * grammar grows with the number of properties, not with their combinations.
 */
function members(pairs: readonly { text: string; isRequired: boolean }[], rules: Rules): string {
  let first = '""';
  let later = "ws";
  for (const { text, isRequired } of pairs.toReversed()) {
    const pair = rules.add("pair", text);
    const after = later;
    first = rules.add("first", either([`${pair} ${after}`, ...(isRequired ? [] : [first])]));
    later = rules.add("later", either([`"," ws ${pair} ${after}`, ...(isRequired ? [] : [after])]));
  }
  return first;
}

function mapBody(
  node: SchemaNode,
  { rules, write, depth }: Context,
  least: number,
  most: number | undefined,
): string {
  const { additionalProperties = true } = node.schema;
  // A map may name a key twice, of which the last counts: more than one member cannot be promised.
  if (least > 1)
    throw schemaError(node.path, '"minProperties" above 1 is not supported without "properties"');
  if (additionalProperties === false || most === 0) {
    if (least > 0) throw schemaError(node.path, "a property is asked for, but none is allowed");
    return '"{" ws "}"';
  }
  const value = write(additionalProperties, step(node.path, "additionalProperties"), depth + 1);
  const pair = rules.add("pair", `string ":" ws ${value}`);
  const more = most === undefined ? "*" : `{0,${most - 1}}`;
  const all = `${pair} ("," ws ${pair})${more} ws`;
  return rules.add("map", least > 0 ? `"{" ws ${all} "}"` : `"{" ws (${all})? "}"`);
}
