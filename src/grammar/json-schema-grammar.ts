import { apart, createRules, either, jsonText, literal, type Rules } from "./ebnf.ts";
import { refuseEndless } from "./endless-schema.ts";
import { jsonRules } from "./json-grammar.ts";
import { isOfType, type JsonType, jsonTypes, withType } from "./json-types.ts";
import { decimalRange, integerRange } from "./number-range.ts";
import { objectBody } from "./object-grammar.ts";
import { checkDisjoint } from "./one-of.ts";
import type { TextGrammar } from "./protocol.ts";
import { createReferences, type References } from "./references.ts";
import { schemaJson } from "./schema-json.ts";
import {
  assertionsBeside,
  closed,
  isObject,
  numberAt,
  refuseUnsupported,
  repeats,
  type SchemaNode,
  schemaError,
  schemaLimits,
  step,
  type WriteSchema,
} from "./schema-node.ts";
import { stringGrammar } from "./string-grammar.ts";
import { hasPlainBranches } from "./string-limits.ts";

/** What a schema without `type` must mean, by the keywords it has. */
const impliedTypes: readonly (readonly [JsonType, readonly string[]])[] = [
  ["object", ["properties", "required", "additionalProperties", "minProperties", "maxProperties"]],
  ["array", ["items", "prefixItems", "minItems", "maxItems"]],
  ["string", ["minLength", "maxLength", "pattern", "format"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
];

/**
 * The grammar, in xgrammar's EBNF, of JSON texts that are valid under a schema. Every text it generates is valid; not
 * every valid text can be generated: properties come in the schema's order and those not declared are left out.
 * @throws request-invalid naming the keyword and its place where a schema cannot be enforced or nothing is valid under it
 */
export function jsonSchemaGrammar(schema: unknown): TextGrammar {
  const rules = createRules();
  const root = schemaJson(schema);
  const targets = createReferences(root);
  // Counted apart where that is possible: see length-guard.ts.
  const countsLengths = hasPlainBranches(root);
  const references = new Map<string, string>();
  const write = createWriter(targets, rules, { references, writesLengths: !countsLengths });
  const expression = write(root, "", 0);
  refuseEndless(references.keys(), (pointer) => targets.at(pointer, ""));
  return { ebnf: `${rules.text(expression)}\n${jsonRules}`, ...(countsLengths ? { lengths: root } : {}) };
}

interface Writing {
  /** Names of rules by the pointers that refer to them; filled while writing. */
  readonly references: Map<string, string>;
  readonly writesLengths: boolean;
}

function createWriter(
  targets: References,
  rules: Rules,
  { references, writesLengths }: Writing,
): WriteSchema {
  const strings = { rules, writesLengths, patterns: new Map() };
  let nodes = 0;

  const write: WriteSchema = (schema, path, depth) => {
    nodes += 1;
    if (nodes > schemaLimits.nodes)
      throw schemaError(path, `there are more than ${schemaLimits.nodes} schemas`);
    if (depth > schemaLimits.depth)
      throw schemaError(path, `schemas are nested more than ${schemaLimits.depth} deep`);
    if (schema === true) return "value";
    if (schema === false) throw schemaError(path, "the schema false allows no value");
    if (!isObject(schema))
      throw schemaError(path, `a schema must be an object, got ${JSON.stringify(schema)}`);
    const node = { schema: closed(schema), path };
    refuseUnsupported(node);
    return combined(node, depth) ?? byType(node, depth);
  };

  /** Schemas that refer to others, or list their values. */
  function combined(node: SchemaNode, depth: number): string | undefined {
    const { schema, path } = node;
    for (const key of ["$ref", "anyOf", "oneOf", "allOf"]) {
      if (schema[key] === undefined) continue;
      const beside = assertionsBeside(node, key).filter((other) => !(other === "type" && key !== "$ref"));
      if (beside.length > 0)
        throw schemaError(path, `"${key}" together with "${beside[0]}" is not supported; merge them`);
    }
    if (schema.$ref !== undefined) return reference(node, depth);
    if (schema.anyOf !== undefined) return either(branches(node, "anyOf", depth));
    if (schema.oneOf !== undefined) {
      checkDisjoint(node, (schemaAt) => targets.resolved(schemaAt, path));
      return either(branches(node, "oneOf", depth));
    }
    if (schema.allOf !== undefined) {
      if (Array.isArray(schema.allOf) && schema.allOf.length > 1)
        throw schemaError(path, '"allOf" with several schemas is not supported; merge them');
      return either(branches(node, "allOf", depth));
    }
    if (schema.const !== undefined) return values(node, [schema.const], "const");
    if (schema.enum !== undefined) {
      if (!Array.isArray(schema.enum)) throw schemaError(path, '"enum" must be a list');
      return values(node, schema.enum, "enum");
    }
    return undefined;
  }

  function branches(node: SchemaNode, key: string, depth: number): string[] {
    const list = node.schema[key];
    if (!Array.isArray(list) || list.length === 0)
      throw schemaError(node.path, `"${key}" must be a list of at least one schema`);
    const { type } = node.schema;
    const written = list.flatMap((each: unknown, i): string[] => {
      const place = step(node.path, key, i);
      if (isObject(each) && each.$ref !== undefined) targets.resolved(each, place); // throws for circles
      // A type beside the branches holds for each.
      const branch = withType(each, type, (schema) => targets.target(schema, place));
      return branch === undefined ? [] : [write(branch, place, depth + 1)];
    });
    if (written.length === 0) throw schemaError(node.path, `no branch of "${key}" has a value of the type`);
    return written;
  }

  function reference({ schema, path }: SchemaNode, depth: number): string {
    const pointer = String(schema.$ref);
    const known = references.get(pointer);
    if (known !== undefined) return known;
    const target = targets.resolved(schema, path);
    const { name, set } = rules.reserve("ref");
    references.set(pointer, name);
    set(write(target, pointer.replace(/^#/, ""), depth + 1));
    return name;
  }

  function byType(node: SchemaNode, depth: number): string {
    const { schema, path } = node;
    const implied = impliedTypes.filter(([, keys]) => keys.some((key) => schema[key] !== undefined));
    if (schema.type === undefined && implied.length > 1)
      throw schemaError(path, '"type" is missing, and the keywords belong to several types');
    const type = schema.type ?? implied[0]?.[0];
    if (type === undefined) return "value";
    const types: unknown[] = Array.isArray(type) ? type : [type];
    for (const name of types) {
      if (typeof name !== "string" || !jsonTypes.includes(name))
        throw schemaError(path, `"type" must be one of ${jsonTypes.join(", ")}, got ${JSON.stringify(name)}`);
    }
    if (types.length === 0) throw schemaError(path, '"type" is an empty list');
    return either((types as JsonType[]).map((name) => ofType(name, node, depth)));
  }

  function ofType(type: JsonType, node: SchemaNode, depth: number): string {
    switch (type) {
      case "null":
        return '"null"';
      case "boolean":
        return "boolean";
      case "integer":
      case "number":
        return numberBody(type, node);
      case "string":
        return stringGrammar(node, strings);
      case "array":
        return rules.add("array", arrayBody(node, depth));
      case "object":
        return objectBody(node, { rules, write, depth });
      default:
        throw schemaError(node.path, `there is no type ${String(type satisfies never)}`);
    }
  }

  function arrayBody(node: SchemaNode, depth: number): string {
    const { schema, path } = node;
    const { prefixItems = [], items } = schema;
    if (!Array.isArray(prefixItems) || Array.isArray(items))
      throw schemaError(path, 'lists of item schemas belong in "prefixItems"');
    const least = repeats(node, "minItems") ?? 0;
    const most = repeats(node, "maxItems");
    const first = prefixItems.map((item: unknown, i) => write(item, step(path, "prefixItems", i), depth + 1));
    if (most !== undefined && most < least)
      throw schemaError(path, `"maxItems" is ${most}, less than "minItems", ${least}`);
    const end = most === undefined ? Number.POSITIVE_INFINITY : most;
    const head = first.slice(0, end);
    const none = items === false || (items === undefined && first.length > 0 && least <= first.length);
    if (none && least > head.length)
      throw schemaError(path, `"minItems" is ${least}, but only ${head.length} are declared`);
    const rest =
      none || end === head.length
        ? undefined
        : rules.add("item", write(items ?? true, step(path, "items"), depth + 1));
    return listOf(head, rest, least, end);
  }

  return write;
}

/** `[` the head's items, of which those beyond `least` may be missing, then repeated ones `]`. */
function listOf(head: readonly string[], rest: string | undefined, least: number, most: number): string {
  const repeatLeast = Math.max(0, least - head.length);
  const repeatMost = most - head.length;
  const times = (from: number, to: number) =>
    to === Number.POSITIVE_INFINITY ? `{${from},}` : `{${from},${to}}`;
  let tail = "";
  if (rest !== undefined) {
    tail =
      head.length > 0
        ? `("," ws ${rest})${times(repeatLeast, repeatMost)}`
        : `${rest} ("," ws ${rest})${times(Math.max(0, repeatLeast - 1), repeatMost - 1)}`;
  }
  for (let i = head.length - 1; i >= 0; i--) {
    const item = `${i === 0 ? "" : '"," ws '}${head[i]} ${tail}`;
    tail = i >= least ? `(${item})?` : item;
  }
  const isOptional = least === 0 && head.length === 0 && tail !== "";
  if (tail === "" || most === 0) return '"[" ws "]"';
  return isOptional ? `"[" ws (${tail} ws)? "]"` : `"[" ws ${tail} ws "]"`;
}

function numberBody(type: "integer" | "number", node: SchemaNode): string {
  const bounds = {
    minimum: numberAt(node, "minimum"),
    maximum: numberAt(node, "maximum"),
    exclusiveMinimum: numberAt(node, "exclusiveMinimum"),
    exclusiveMaximum: numberAt(node, "exclusiveMaximum"),
  };
  const isInteger = type === "integer" || node.schema.multipleOf === 1;
  if (Object.values(bounds).every((value) => value === undefined)) return isInteger ? "integer" : "number";
  const range = isInteger ? integerRange(bounds) : decimalRange(bounds);
  if (range === undefined)
    throw schemaError(node.path, "no number of at most 15 digits lies within the bounds");
  return range;
}

/** Listed values. */
function values(node: SchemaNode, list: readonly unknown[], key: string): string {
  const { schema, path } = node;
  const beside = assertionsBeside(node, key, "type");
  if (beside.length > 0) throw schemaError(path, `"${key}" together with "${beside[0]}" is not supported`);
  const valid = list.filter((value) => schema.type === undefined || isOfType(value, schema.type));
  if (valid.length === 0) throw schemaError(path, `"${key}" has no value of the type`);
  return either(valid.map((value) => apart(literal(jsonText(value)))));
}
