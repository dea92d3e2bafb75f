import { EngineError } from "../errors.ts";
import { developerText } from "./harmony-developer.ts";
import { systemText } from "./harmony-system.ts";
import { harmonyTokens } from "./harmony-tokens.ts";
import type { DeveloperContent, HarmonyContent, HarmonyMessage, Role, Tokenizer } from "./types.ts";

/** What a message's text depends on beyond itself. */
export interface RenderContext {
  /** Some developer message of the conversation defines functions. Default false. */
  readonly hasFunctions?: boolean;
}

/**
 * Token ids of one message. Each header piece and the content are encoded on their own, as plain text:
 * special spellings inside stay text.
 * @throws request-invalid for a tool message without a name, or content that does not fit the role
 */
export function renderMessage(
  tokenizer: Tokenizer,
  message: HarmonyMessage,
  context: RenderContext = {},
): number[] {
  const { recipient, channel, contentType } = message;
  const ids = [tokenizer.special(harmonyTokens.start), ...renderAuthor(tokenizer, message)];
  if (recipient !== undefined && recipient !== "all") append(ids, tokenizer.encode(` to=${recipient}`));
  if (channel !== undefined) {
    ids.push(tokenizer.special(harmonyTokens.channel));
    append(ids, tokenizer.encode(channel));
  }
  if (contentType !== undefined) append(ids, renderContentType(tokenizer, contentType));
  ids.push(tokenizer.special(harmonyTokens.message));
  for (const content of contentsOf(message))
    append(ids, tokenizer.encode(contentText(message.role, content, context.hasFunctions ?? false)));
  // A call ends the turn whoever it is addressed to, "all" included.
  const isCall = message.role === "assistant" && recipient !== undefined;
  ids.push(tokenizer.special(isCall ? harmonyTokens.call : harmonyTokens.end));
  return ids;
}

/** Token ids of a conversation: its messages, nothing between them, no beginning-of-text token. */
export function renderConversation(tokenizer: Tokenizer, messages: readonly HarmonyMessage[]): number[] {
  const context = { hasFunctions: messages.some(definesFunctions) };
  const ids: number[] = [];
  for (const message of messages) append(ids, renderMessage(tokenizer, message, context));
  return ids;
}

/** A conversation and the start of the next message, which the model continues. */
export function renderForCompletion(
  tokenizer: Tokenizer,
  messages: readonly HarmonyMessage[],
  nextRole: Role = "assistant",
): number[] {
  const ids = renderConversation(tokenizer, messages);
  ids.push(tokenizer.special(harmonyTokens.start));
  append(ids, tokenizer.encode(nextRole));
  return ids;
}

/** A conversation as training text: a last message on the final channel ends in return instead of end. */
export function renderForTraining(tokenizer: Tokenizer, messages: readonly HarmonyMessage[]): number[] {
  const ids = renderConversation(tokenizer, messages);
  const last = messages.at(-1);
  if (last?.role === "assistant" && last.channel === "final")
    ids[ids.length - 1] = tokenizer.special(harmonyTokens.return);
  return ids;
}

function renderAuthor(tokenizer: Tokenizer, message: HarmonyMessage): number[] {
  const { role, name } = message;
  if (role !== "tool")
    return [...tokenizer.encode(role), ...(name === undefined ? [] : tokenizer.encode(`:${name}`))];
  if (name === undefined || name === "") {
    throw new EngineError(
      "request-invalid",
      "A tool message needs the name of its tool, e.g. functions.get_weather.",
    );
  }
  return tokenizer.encode(name);
}

/** Only a leading constrain marker becomes the special token; any other type is plain text. */
function renderContentType(tokenizer: Tokenizer, contentType: string): number[] {
  if (!contentType.startsWith(harmonyTokens.constrain)) return tokenizer.encode(` ${contentType}`);
  const format = contentType.slice(harmonyTokens.constrain.length);
  return [...tokenizer.encode(" "), tokenizer.special(harmonyTokens.constrain), ...tokenizer.encode(format)];
}

function contentsOf({ content }: HarmonyMessage): readonly HarmonyContent[] {
  return Array.isArray(content) ? (content as readonly HarmonyContent[]) : [content as HarmonyContent];
}

function contentText(role: Role, content: HarmonyContent, hasFunctions: boolean): string {
  if (typeof content === "string") return content;
  if (role === "system") return systemText(content, hasFunctions);
  if (role === "developer") return developerText(content);
  throw new EngineError("request-invalid", `The content of a message of role ${role} must be text.`);
}

function definesFunctions(message: HarmonyMessage): boolean {
  if (message.role !== "developer") return false;
  return contentsOf(message).some((content) => {
    if (typeof content === "string") return false;
    const { tools = [] }: DeveloperContent = content;
    return tools.some((namespace) => namespace.name === "functions" && namespace.functions.length > 0);
  });
}

/** Not push(...more): long contents overflow the argument stack. */
function append(ids: number[], more: readonly number[]): void {
  for (const id of more) ids.push(id);
}
