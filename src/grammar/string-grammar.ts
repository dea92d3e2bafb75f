import type { Rules } from "./ebnf.ts";
import { type PatternGrammar, patternGrammar } from "./pattern-grammar.ts";
import { assertionsBeside, repeats, type SchemaNode, schemaError, schemaLimits } from "./schema-node.ts";

const date =
  "(?:\\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
const time = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
const byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

/** Formats as patterns. Only texts that every validator takes. */
const formats: Readonly<Record<string, string>> = {
  date,
  time,
  "date-time": `${date}T${time}`,
  email:
    "[A-Za-z0-9]{1,20}(?:[._+-][A-Za-z0-9]{1,20}){0,2}@[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,10})?(?:\\.[A-Za-z0-9]{1,20}){0,2}\\.[A-Za-z]{2,12}",
  ipv4: `${byte}(?:\\.${byte}){3}`,
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
};

/** What the strings of one schema share. */
export interface StringContext {
  readonly rules: Rules;
  readonly writesLengths: boolean;
  /** Pattern's grammars by their texts. */
  readonly patterns: Map<string, PatternGrammar>;
}

/** The expression of a string. Lengths count code points, as JSON Schema does; they may be left to the length guard. */
export function stringGrammar(node: SchemaNode, context: StringContext): string {
  const { schema, path } = node;
  const { rules, writesLengths } = context;
  const { pattern, format } = schema;
  const least = repeats(node, "minLength") ?? 0;
  const most = repeats(node, "maxLength");
  if (pattern !== undefined || format !== undefined) {
    const key = pattern === undefined ? "format" : "pattern";
    const other = ["minLength", "maxLength", "pattern", "format"].find(
      (name) => name !== key && assertionsBeside(node).includes(name),
    );
    if (other !== undefined) throw schemaError(path, `"${key}" together with "${other}" is not supported`);
    const text = pattern ?? formatPattern(format, path);
    if (typeof text !== "string") throw schemaError(path, `"${key}" must be a string`);
    return rules.add("string", `"\\"" ${limited(text, key, path, context)} "\\""`);
  }
  if (most !== undefined && most < least)
    throw schemaError(path, `"maxLength" is ${most}, less than "minLength", ${least}`);
  if (!writesLengths || (least === 0 && most === undefined)) return "string";
  const body = most === undefined ? `char{${least},${least}} text` : `char{${least},${most}}`;
  return rules.add("string", `"\\"" ${body} "\\""`);
}

/** The EBNF of a pattern, where all of the schema's together compile in a few seconds. */
function limited(pattern: string, key: string, path: string, { patterns }: StringContext): string {
  const grammar = patterns.get(pattern) ?? patternGrammar(pattern, path);
  patterns.set(pattern, grammar);
  const positions = [...patterns.values()].reduce((sum, each) => sum + each.positions, 0);
  if (positions > schemaLimits.positions)
    throw schemaError(
      path,
      `"${key}" is too large: written out, the schema's patterns are ${positions} characters long, and at most ${schemaLimits.positions} are supported; repeat less`,
    );
  return grammar.ebnf;
}

function formatPattern(format: unknown, path: string): string {
  if (typeof format === "string" && Object.hasOwn(formats, format)) return `^${formats[format]}$`;
  throw schemaError(
    path,
    `the format ${JSON.stringify(format)} is not supported (${Object.keys(formats).join(", ")} are); leave it out or use "pattern"`,
  );
}
