import { type Schema, Validator } from "@cfworker/json-schema";
import { EngineError } from "../errors.ts";
import type { FunctionTool } from "../text/types.ts";
import type { ArgumentProblem } from "./types.ts";

/** Arguments that satisfy the schema, or what is wrong with them. */
export type CheckedArguments =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly ArgumentProblem[] };

/** More are no help to the model. */
const maxProblems = 8;

/**
 * Parses a call's arguments and checks them against the function's JSON Schema (2020-12). An empty body stands
 * for no arguments.
 * @throws request-invalid where the schema itself cannot be used
 */
export function checkArguments(tool: FunctionTool, text: string): CheckedArguments {
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [{ path: "", message: `not valid JSON: ${why}` }] };
  }
  const { parameters } = tool;
  if (parameters === undefined || parameters === null) return { ok: true, value };
  const problems = problemsOf(tool, parameters as Schema | boolean, value);
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

/** What the validator throws is the schema's fault, but for two things that arguments can hold. */
function problemsOf(tool: FunctionTool, schema: Schema | boolean, value: unknown): ArgumentProblem[] {
  try {
    return violations(schema, value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof URIError) return [{ path: "", message: "a name holds half a surrogate pair" }];
    if (cause instanceof Error && ["RangeError", "InternalError"].includes(cause.name))
      return [{ path: "", message: "nested too deep" }];
    throw new EngineError(
      "request-invalid",
      `The parameters of the function ${tool.name} are no JSON schema that arguments can be checked against: ${why}`,
      { cause },
    );
  }
}

/** Keywords that only pass on what is wrong further in. */
const containers = new Set(
  "properties patternProperties additionalProperties unevaluatedProperties propertyNames items prefixItems unevaluatedItems allOf $ref $dynamicRef $recursiveRef dependentSchemas then else".split(
    " ",
  ),
);

function violations(schema: Schema | boolean, value: unknown): ArgumentProblem[] {
  const { valid, errors } = new Validator(schema, "2020-12", false).validate(value);
  if (valid) return [];
  const telling = errors.filter(({ keyword }) => !containers.has(keyword));
  const problems = (telling.length === 0 ? errors : telling).map(({ instanceLocation, keyword, error }) => ({
    path: decodeURI(instanceLocation.replace(/^#/, "")),
    message: keyword === "false" ? "is not allowed" : error.replace(/\.$/, ""),
  }));
  return problems.slice(0, maxProblems);
}

/** The sentence by which the model learns what is wrong with its arguments. */
export function describeProblems(tool: FunctionTool, problems: readonly ArgumentProblem[]): string {
  const lines = problems.map(({ path, message }) => `- ${path === "" ? "arguments" : path}: ${message}`);
  return `Error: the arguments of ${tool.name} do not fit its definition. Correct them and call it again.\n${lines.join("\n")}`;
}
