import { invalid, type JsonObject, optionalText, requireObject } from "./harmony-json-values.ts";
import { keyText } from "./json-source.ts";
import type {
  DeveloperContent,
  FunctionTool,
  ReasoningEffort,
  SystemContent,
  ToolNamespace,
} from "./types.ts";

const efforts: readonly string[] = ["low", "medium", "high"] satisfies ReasoningEffort[];

/** A `system_content` object. @throws request-invalid */
export function readSystemContent(json: JsonObject, at: string): SystemContent {
  const identity = optionalText(json.model_identity, `${at}.model_identity`);
  const knowledgeCutoff = optionalText(json.knowledge_cutoff, `${at}.knowledge_cutoff`);
  const currentDate = optionalText(json.conversation_start_date, `${at}.conversation_start_date`);
  const reasoningEffort = readEffort(json.reasoning_effort, `${at}.reasoning_effort`);
  const tools = readTools(json.tools, `${at}.tools`);
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(knowledgeCutoff === undefined ? {} : { knowledgeCutoff }),
    ...(currentDate === undefined ? {} : { currentDate }),
    ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    ...(tools === undefined ? {} : { tools }),
    ...readChannels(json.channel_config, `${at}.channel_config`),
  };
}

/** A `developer_content` object. @throws request-invalid */
export function readDeveloperContent(json: JsonObject, at: string): DeveloperContent {
  const instructions = optionalText(json.instructions, `${at}.instructions`);
  const tools = readTools(json.tools, `${at}.tools`);
  return {
    ...(instructions === undefined ? {} : { instructions }),
    ...(tools === undefined ? {} : { tools }),
  };
}

/** `"Low"` in the library's JSON, `"low"` in prompts: either is taken. */
function readEffort(value: unknown, at: string): ReasoningEffort | undefined {
  const text = optionalText(value, at);
  if (text === undefined) return undefined;
  const effort = text.toLowerCase();
  if (efforts.includes(effort)) return effort as ReasoningEffort;
  throw invalid(at, "Low, Medium or High", value);
}

function readChannels(value: unknown, at: string): Pick<SystemContent, "channels" | "channelRequired"> {
  if (value === undefined || value === null) return {};
  const { valid_channels: channels, channel_required: required = true } = requireObject(value, at);
  if (!Array.isArray(channels) || !channels.every((channel) => typeof channel === "string"))
    throw invalid(`${at}.valid_channels`, "a list of texts", channels);
  if (typeof required !== "boolean") throw invalid(`${at}.channel_required`, "true or false", required);
  return { channels: channels as string[], channelRequired: required };
}

/** Namespaces by name, or a list of them. */
function readTools(value: unknown, at: string): ToolNamespace[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value))
    return value.map((each: unknown, index) => readNamespace(each, undefined, `${at}[${index}]`));
  return Object.entries(requireObject(value, at)).map(([name, each]) =>
    readNamespace(each, keyText(name), `${at}.${keyText(name)}`),
  );
}

function readNamespace(value: unknown, key: string | undefined, at: string): ToolNamespace {
  const json = requireObject(value, at);
  const name = optionalText(json.name, `${at}.name`) ?? key;
  if (name === undefined) throw invalid(`${at}.name`, "a text", json.name);
  const description = optionalText(json.description, `${at}.description`);
  const tools = json.tools ?? [];
  if (!Array.isArray(tools)) throw invalid(`${at}.tools`, "a list", tools);
  const functions = tools.map((tool: unknown, index) => readFunction(tool, `${at}.tools[${index}]`));
  return { name, ...(description === undefined ? {} : { description }), functions };
}

function readFunction(value: unknown, at: string): FunctionTool {
  const json = requireObject(value, at);
  const name = optionalText(json.name, `${at}.name`);
  if (name === undefined) throw invalid(`${at}.name`, "a text", json.name);
  const description = optionalText(json.description, `${at}.description`) ?? "";
  return { name, description, parameters: json.parameters ?? undefined };
}
