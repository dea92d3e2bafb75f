import { EngineError } from "../errors.ts";
import { type AbilityTexts, abilityTexts } from "./chat-abilities.ts";
import { harmonyTurns } from "./chat-turns.ts";
import type { ChatAbilities, ChatMessage } from "./chat-types.ts";
import { dropFinishedAnalysis } from "./drop-analysis.ts";
import { renderForCompletion } from "./harmony-render.ts";
import { defaultSystemContent } from "./harmony-system.ts";
import type { DeveloperContent, HarmonyMessage, ReasoningEffort, Tokenizer } from "./types.ts";

export interface ChatPrompt extends ChatAbilities {
  readonly messages: readonly ChatMessage[];
  readonly reasoningEffort: ReasoningEffort;
  /** YYYY-MM-DD */
  readonly currentDate: string;
}

const efforts: readonly string[] = ["low", "medium", "high"] satisfies ReasoningEffort[];

/**
 * Prompt ids of a chat, up to the start of the assistant's answer: harmony's system message with the built-in
 * tools, the developer message (instructions, functions, response format), then the turns. Reasoning, and calls
 * of built-in tools with their results, stay only in the turn that is not finished. All text of messages,
 * tools and results is encoded as plain text: none of it becomes a control token.
 * @throws request-invalid for no messages, an unknown role, effort or tool, a date that is not YYYY-MM-DD, a call
 * without result or a result without call
 */
export function renderChat(tokenizer: Tokenizer, prompt: ChatPrompt): number[] {
  return renderForCompletion(tokenizer, chatMessages(prompt));
}

/** Whether a text is YYYY-MM-DD of a day that there is. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** The harmony messages that `renderChat` renders. @throws request-invalid */
export function chatMessages(prompt: ChatPrompt): HarmonyMessage[] {
  const { messages, reasoningEffort, currentDate } = prompt;
  if (messages.length === 0) throw invalid("needs at least one message, got none");
  if (!isDate(currentDate)) throw invalid(`needs a date as YYYY-MM-DD, got "${currentDate}"`);
  if (!efforts.includes(reasoningEffort))
    throw invalid(`knows the efforts ${efforts.join(", ")}, got "${reasoningEffort}"`);
  const texts = abilityTexts(prompt);
  const { builtins } = texts;
  const system: HarmonyMessage = {
    role: "system",
    content: {
      ...defaultSystemContent,
      reasoningEffort,
      currentDate,
      ...(builtins.length === 0 ? {} : { tools: builtins }),
    },
  };
  const numLeading = messages.findIndex((message) => message.role !== "system");
  const leading = messages.slice(0, numLeading < 0 ? messages.length : numLeading);
  const functionNames = new Set((prompt.tools ?? []).map((tool) => tool.name));
  const turns = harmonyTurns(messages.slice(leading.length), functionNames);
  return [system, ...developerMessage(leading, texts), ...dropFinishedAnalysis(turns)];
}

/** Leading system messages are one set of instructions, a blank line between them. */
function developerMessage(
  leading: readonly ChatMessage[],
  { functions, responseFormat }: AbilityTexts,
): HarmonyMessage[] {
  const content: DeveloperContent = {
    ...(leading.length === 0 ? {} : { instructions: leading.map((message) => message.content).join("\n\n") }),
    ...(functions.length === 0 ? {} : { tools: [{ name: "functions", functions }] }),
    ...(responseFormat === undefined ? {} : { responseFormat }),
  };
  return Object.keys(content).length === 0 ? [] : [{ role: "developer", content }];
}

function invalid(problem: string): EngineError {
  return new EngineError("request-invalid", `A chat prompt ${problem}.`);
}
