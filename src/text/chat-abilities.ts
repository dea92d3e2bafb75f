import { EngineError } from "../errors.ts";
import type { BuiltinToolName, ChatAbilities, ResponseFormat, ToolChoice } from "./chat-types.ts";
import { checkParameters } from "./check-parameters.ts";
import { browserNamespace, pythonNamespace } from "./harmony-builtin-tools.ts";
import type { FunctionTool, HarmonyResponseFormat, ToolNamespace } from "./types.ts";

const namespaces: Readonly<Record<BuiltinToolName, ToolNamespace>> = {
  browser: browserNamespace,
  python: pythonNamespace,
};
const choices: readonly string[] = ["auto", "none", "required"] satisfies ToolChoice[];
/** Names stand on a line of their own in the prompt. */
const plainName = /^[\w-]{1,64}$/;

/** What a chat's abilities add to its system and developer messages. */
export interface AbilityTexts {
  /** Described in the developer message; none where the choice is `none`. */
  readonly functions: readonly FunctionTool[];
  /** Described in the system message. */
  readonly builtins: readonly ToolNamespace[];
  readonly responseFormat: HarmonyResponseFormat | undefined;
}

/**
 * Checks a chat's abilities and gives what the prompt says of them.
 * @throws request-invalid for a name that is malformed, double or unknown, or a choice that cannot be met
 */
export function abilityTexts(abilities: ChatAbilities): AbilityTexts {
  const { tools = [], toolChoice = "auto", builtinTools = [], responseFormat } = abilities;
  checkFunctions(tools, builtinTools);
  checkChoice(toolChoice, tools);
  return {
    functions: toolChoice === "none" ? [] : tools,
    builtins: [...new Set(builtinTools)].map(builtinNamespace),
    responseFormat: responseFormatText(responseFormat),
  };
}

function checkFunctions(tools: readonly FunctionTool[], builtinTools: readonly BuiltinToolName[]): void {
  const taken = new Set<string>(builtinTools);
  for (const { name, parameters } of tools) {
    if (!plainName.test(name))
      throw invalid(`needs function names of 1 to 64 letters, digits, _ and -, got ${JSON.stringify(name)}`);
    if (taken.has(name)) throw invalid(`needs a name of its own for each tool, got "${name}" twice`);
    taken.add(name);
    checkParameters(name, parameters);
  }
}

function checkChoice(choice: ChatAbilities["toolChoice"], tools: readonly FunctionTool[]): void {
  if (choice === "required" && tools.length === 0)
    throw invalid("needs tools where a call is required, got none");
  if (typeof choice === "string" && !choices.includes(choice))
    throw invalid(`knows the tool choices ${choices.join(", ")} and { name }, got ${JSON.stringify(choice)}`);
  if (typeof choice !== "object" || tools.some((tool) => tool.name === choice.name)) return;
  throw invalid(`needs the function "${choice.name}", which must be called, among its tools`);
}

function builtinNamespace(name: BuiltinToolName): ToolNamespace {
  if (Object.hasOwn(namespaces, name)) return namespaces[name];
  throw invalid(
    `knows the built-in tools ${Object.keys(namespaces).join(", ")}, got ${JSON.stringify(name)}`,
  );
}

function responseFormatText(format: ResponseFormat | undefined): HarmonyResponseFormat | undefined {
  switch (format?.type) {
    case undefined:
    case "text":
      return undefined;
    case "json_object":
      return { name: "json_object", schema: { type: "object" } };
    case "json_schema": {
      const { name, description, schema } = format;
      if (!plainName.test(name))
        throw invalid(
          `needs a response format's name of 1 to 64 letters, digits, _ and -, got ${JSON.stringify(name)}`,
        );
      return { name, schema, ...(description === undefined ? {} : { description }) };
    }
    default:
      throw invalid(
        `knows the response formats text, json_object and json_schema, got ${JSON.stringify(format satisfies never)}`,
      );
  }
}

function invalid(problem: string): EngineError {
  return new EngineError("request-invalid", `A chat prompt ${problem}.`);
}
