import type { ChatAbilities, ReasoningOptions } from "../text/chat-types.ts";
import type { CapabilityOptions } from "./capability-report.ts";
import {
  aBound,
  abortSignal,
  aNumber,
  anObject,
  anything,
  callback,
  expecting,
  flag,
  isObject,
  listOf,
  type OptionTable,
  objectOf,
  oneOf,
  type Rule,
  text,
  wholeNumber,
} from "./check-options.ts";
import type { LoadModelOptions } from "./plan-options.ts";
import type { ChatRequest, GenerateOptions, LoadOptions } from "./types.ts";

const anyLength = wholeNumber(1, Number.POSITIVE_INFINITY);

/** The rules of `LoadOptions`. Bounds that depend on the model are checked once it is known. */
export const loadOptionRules: OptionTable<LoadOptions> = {
  contextLength: anyLength,
  kvFormat: oneOf("f32", "f16"),
  dense: oneOf("bf16", "int8"),
  activations: oneOf("f32", "int8"),
  variant: oneOf("subgroups", "workgroup"),
  tune: oneOf("auto", "table", "measure"),
  tuning: anObject,
  matrices: flag,
  onProgress: callback,
  signal: abortSignal,
};

/** The rules of what `Engine.load` takes: the public options, and those of tests and the bench. */
export const engineLoadRules: OptionTable<Omit<LoadModelOptions, "settings" | "openGrammar">> = {
  ...loadOptionRules,
  maxTokensPerPass: anyLength,
  uploadWay: anything,
};

/** The rules of `CapabilityOptions`. A context that the model has not is a finding of the report. */
export const capabilityRules: OptionTable<CapabilityOptions> = {
  contextLength: aNumber,
  kvFormat: loadOptionRules.kvFormat,
  dense: loadOptionRules.dense,
  variant: loadOptionRules.variant,
  gpuMemoryBytes: aBound,
  storageBytes: aBound,
};

/** The rules of `GenerateOptions`; `maxNewTokens` must be there. */
export const generateRules: OptionTable<GenerateOptions> = {
  maxNewTokens: anyLength,
  temperature: aNumber,
  seed: aNumber,
  stopTokens: listOf(aNumber, "a list of token ids"),
  signal: abortSignal,
};

const toolCall = objectOf({ name: text, arguments: text }, ["name", "arguments"], { open: true });
const messageRules: Readonly<Record<string, Rule>> = {
  system: message({}, []),
  user: message({}, []),
  assistant: message({ reasoning: text, toolCalls: listOf(toolCall, "a list of calls") }, []),
  tool: message({ name: text }, ["name"]),
};

function message(fields: Readonly<Record<string, Rule>>, required: readonly string[]): Rule {
  return objectOf({ role: text, content: text, ...fields }, ["content", ...required], { open: true });
}

const aMessage: Rule = (value, path) => {
  const role = isObject(value) ? value.role : undefined;
  const rule = typeof role === "string" && Object.hasOwn(messageRules, role) ? messageRules[role] : undefined;
  if (rule !== undefined) return rule(value, path);
  return isObject(value)
    ? oneOf(...Object.keys(messageRules))(role, `${path}.role`)
    : objectOf({ role: text, content: text })(value, path);
};

const reasoningRules: OptionTable<ReasoningOptions> = {
  maxTokens: aNumber,
  exclude: flag,
};

const abilityRules: OptionTable<ChatAbilities> = {
  tools: listOf(
    objectOf({ name: text, description: text }, ["name"], { open: true }),
    "a list of functions, each with name, description and parameters",
  ),
  toolChoice: expecting(
    '"auto", "none", "required" or { name }',
    (value) => typeof value === "string" || (isObject(value) && typeof value.name === "string"),
  ),
  builtinTools: listOf(oneOf("browser", "python"), 'a list of "browser" and "python"'),
  responseFormat: objectOf(
    {
      type: oneOf("text", "json_object", "json_schema"),
      name: text,
      description: text,
      schema: anything,
    },
    ["type"],
  ),
  reasoning: objectOf(reasoningRules),
  guided: flag,
};

/** The rules of `ChatRequest`; `messages` must be there. Fields of messages and tools that are not known are let through. */
export const chatRules: OptionTable<ChatRequest> = {
  ...abilityRules,
  messages: listOf(aMessage, "a list of messages, such as [{ role, content }]"),
  reasoningEffort: oneOf("low", "medium", "high"),
  currentDate: text,
  temperature: aNumber,
  seed: aNumber,
  maxNewTokens: anyLength,
  signal: abortSignal,
};
