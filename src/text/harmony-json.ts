import { roleOf } from "./harmony-header.ts";
import { readDeveloperContent, readSystemContent } from "./harmony-json-content.ts";
import { invalid, type JsonObject, optionalText, requireObject } from "./harmony-json-values.ts";
import type { HarmonyContent, HarmonyHeader, HarmonyMessage, Role } from "./types.ts";

/** A message in the JSON form of openai-harmony. */
export interface HarmonyMessageJson {
  readonly role: Role;
  readonly name?: string;
  readonly recipient?: string;
  readonly content: string;
  readonly channel?: string;
  readonly content_type?: string;
}

/**
 * The messages of a conversation in openai-harmony's JSON form: `{"messages": [{role, name, recipient, content,
 * channel, content_type}]}`. Content is a text, or a content object, or a list of them: `text`, `system_content`,
 * `developer_content`; an object without `type` is what its message's role takes. `author: {role, name}`, as the
 * library's classes have it, stands for role and name where there is no role. As in openai-harmony's
 * renderer, a field that is absent or null is not written: there are no defaults.
 * @throws request-invalid, with the place in the JSON
 */
export function readConversation(json: unknown): HarmonyMessage[] {
  const messages = Array.isArray(json) ? json : requireObject(json, "the conversation").messages;
  if (!Array.isArray(messages)) throw invalid("messages", "a list", messages);
  return messages.map((message: unknown, index) => readMessage(message, `messages[${index}]`));
}

/** A parsed message in openai-harmony's JSON form. */
export function messageJson(header: HarmonyHeader, content: string): HarmonyMessageJson {
  const { role, name, recipient, channel, contentType } = header;
  return {
    role,
    ...(name === undefined ? {} : { name }),
    ...(recipient === undefined ? {} : { recipient }),
    content,
    ...(channel === undefined ? {} : { channel }),
    ...(contentType === undefined ? {} : { content_type: contentType }),
  };
}

function readMessage(value: unknown, at: string): HarmonyMessage {
  const json = withAuthor(requireObject(value, at), at);
  const role = typeof json.role === "string" ? roleOf(json.role) : undefined;
  if (role === undefined)
    throw invalid(`${at}.role`, "system, developer, user, assistant or tool", json.role);
  const name = optionalText(json.name, `${at}.name`);
  const recipient = optionalText(json.recipient, `${at}.recipient`);
  const channel = optionalText(json.channel, `${at}.channel`);
  const contentType = optionalText(json.content_type, `${at}.content_type`);
  return {
    role,
    ...(name === undefined ? {} : { name }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(channel === undefined ? {} : { channel }),
    ...(contentType === undefined ? {} : { contentType }),
    content: readContents(json.content, role, `${at}.content`),
  };
}

function withAuthor(json: JsonObject, at: string): JsonObject {
  if (json.role !== undefined || json.author === undefined || json.author === null) return json;
  const { role, name } = requireObject(json.author, `${at}.author`);
  return { ...json, role, name };
}

function readContents(value: unknown, role: Role, at: string): HarmonyMessage["content"] {
  if (!Array.isArray(value)) return readContent(value, role, at);
  return value.map((each: unknown, index) => readContent(each, role, `${at}[${index}]`));
}

function readContent(value: unknown, role: Role, at: string): HarmonyContent {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(at, "a text, a content object or a list of them", value);
  const json = requireObject(value, at);
  const type = json.type ?? defaultType(role, json);
  switch (type) {
    case "text":
      if (typeof json.text === "string") return json.text;
      throw invalid(`${at}.text`, "a text", json.text);
    case "system_content":
      if (role !== "system") throw invalid(at, "text outside system messages", json);
      return readSystemContent(json, at);
    case "developer_content":
      if (role !== "developer") throw invalid(at, "text outside developer messages", json);
      return readDeveloperContent(json, at);
    default:
      throw invalid(`${at}.type`, "text, system_content or developer_content", type);
  }
}

function defaultType(role: Role, json: JsonObject): string {
  if (json.text !== undefined) return "text";
  return role === "system" || role === "developer" ? `${role}_content` : "text";
}
