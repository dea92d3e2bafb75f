import { EngineError } from "../errors.ts";
import { renderForCompletion } from "./harmony-render.ts";
import { defaultSystemContent } from "./harmony-system.ts";
import type { DeveloperContent, FunctionTool, HarmonyMessage, ReasoningEffort, Tokenizer } from "./types.ts";

/** A message as chat interfaces write it. */
export interface ChatPromptMessage {
  /** `system` becomes harmony's developer instructions; `assistant` holds the final answer of its turn. */
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatPrompt {
  readonly messages: readonly ChatPromptMessage[];
  readonly reasoningEffort: ReasoningEffort;
  /** YYYY-MM-DD */
  readonly currentDate: string;
  /** Functions the model may call. Default none. */
  readonly functions?: readonly FunctionTool[];
}

const efforts: readonly string[] = ["low", "medium", "high"] satisfies ReasoningEffort[];

/**
 * Prompt ids of a chat, up to the start of the assistant's answer: harmony's system message, the instructions,
 * then the turns without the reasoning of earlier ones.
 * @throws request-invalid for no messages, an unknown role or effort, or a date that is not YYYY-MM-DD
 */
export function renderChat(tokenizer: Tokenizer, prompt: ChatPrompt): number[] {
  return renderForCompletion(tokenizer, chatMessages(prompt));
}

/** The harmony messages that `renderChat` renders. @throws request-invalid */
export function chatMessages({
  messages,
  reasoningEffort,
  currentDate,
  functions = [],
}: ChatPrompt): HarmonyMessage[] {
  if (messages.length === 0) throw invalid("needs at least one message, got none");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(currentDate))
    throw invalid(`needs a date as YYYY-MM-DD, got "${currentDate}"`);
  if (!efforts.includes(reasoningEffort))
    throw invalid(`knows the efforts ${efforts.join(", ")}, got "${reasoningEffort}"`);
  const system: HarmonyMessage = {
    role: "system",
    content: { ...defaultSystemContent, reasoningEffort, currentDate },
  };
  const numLeading = messages.findIndex((message) => message.role !== "system");
  const leading = messages.slice(0, numLeading < 0 ? messages.length : numLeading);
  const developer = developerContent(leading, functions);
  const rest = messages.slice(leading.length).map(harmonyMessage);
  return [
    system,
    ...(developer === undefined ? [] : [{ role: "developer", content: developer } as const]),
    ...rest,
  ];
}

/** Leading system messages are one set of instructions, a blank line between them. */
function developerContent(
  leading: readonly ChatPromptMessage[],
  functions: readonly FunctionTool[],
): DeveloperContent | undefined {
  if (leading.length === 0 && functions.length === 0) return undefined;
  return {
    ...(leading.length === 0 ? {} : { instructions: leading.map((message) => message.content).join("\n\n") }),
    ...(functions.length === 0 ? {} : { tools: [{ name: "functions", functions }] }),
  };
}

function harmonyMessage({ role, content }: ChatPromptMessage): HarmonyMessage {
  switch (role) {
    case "system":
      return { role: "developer", content: { instructions: content } };
    case "user":
      return { role, content };
    case "assistant":
      return { role, channel: "final", content };
    default:
      throw invalid(`knows the roles system, user and assistant, got "${String(role satisfies never)}"`);
  }
}

function invalid(problem: string): EngineError {
  return new EngineError("request-invalid", `A chat prompt ${problem}.`);
}
