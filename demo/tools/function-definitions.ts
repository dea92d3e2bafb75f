import type { FunctionTool } from "../../src/index.ts";
import { isRecord, type Parsed, parsed, parseJson, problem } from "./parse-json.ts";

const builtinNames: readonly string[] = ["browser", "python"];
const functionName = /^[\w-]{1,64}$/;

/**
 * Pasted function definitions: one, a list, or `{ "tools": [...] }`, each plain (`{ name, description, parameters }`) or
 * in the form of OpenAI's APIs (`{ type: "function", function: {...} }`).
 */
export function parseFunctionDefinitions(text: string): Parsed<readonly FunctionTool[]> {
  if (text.trim() === "") return problem("Paste at least one function definition, or switch functions off.");
  const json = parseJson(text);
  if (!json.ok) return json;
  const list = listOf(json.value);
  if (list.length === 0)
    return problem("The list is empty. Paste at least one function, or switch functions off.");
  const functions: FunctionTool[] = [];
  for (const [index, entry] of list.entries()) {
    const read = readDefinition(entry);
    if (!read.ok)
      return problem(`${list.length === 1 ? "The function" : `Function ${index + 1}`} ${read.problem}`);
    if (functions.some(({ name }) => name === read.value.name))
      return problem(`Two functions are named “${read.value.name}”. Give each a name of its own.`);
    functions.push(read.value);
  }
  return parsed(functions);
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isRecord(value) && Array.isArray(value.tools)) return value.tools;
  return [value];
}

/** The problem begins with a verb: what stands before it says which function. */
function readDefinition(entry: unknown): Parsed<FunctionTool> {
  if (!isRecord(entry)) return problem("is no JSON object. It needs at least a name.");
  const definition = isRecord(entry.function) ? entry.function : entry;
  const { name, description = "", parameters } = definition;
  if (typeof name !== "string" || name === "") return problem("has no “name”, which must be a text.");
  if (!functionName.test(name))
    return problem(
      `has the name “${name}”. Names have 1 to 64 letters, digits, _ and - (no spaces or dots).`,
    );
  if (builtinNames.includes(name))
    return problem(`has the name “${name}”, which belongs to the built-in tool. Choose another.`);
  if (typeof description !== "string") return problem(`(“${name}”) has a “description” that is no text.`);
  if (parameters === undefined || parameters === null) return parsed({ name, description });
  if (!isRecord(parameters))
    return problem(`(“${name}”) has “parameters” that are no JSON schema: it must be an object { … }.`);
  if (parameters.type !== undefined && parameters.type !== "object")
    return problem(
      `(“${name}”) has “parameters” whose “type” is not "object": arguments always are an object.`,
    );
  return parsed({ name, description, parameters });
}
