import { renderChat } from "../text/chat-prompt.ts";
import { createChatStream } from "../text/chat-stream.ts";
import { createHarmonyParser } from "../text/harmony-parser.ts";
import { samplableTokens } from "../text/stop-tokens.ts";
import type { Tokenizer } from "../text/types.ts";
import { createAnswerGuide } from "./answer-guide.ts";
import { answerRules, needsRules } from "./answer-rules.ts";
import { startGeneration } from "./generate.ts";
import { freeGuide, type Guide } from "./guide.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { requireTokenizer } from "./read-tokenizer.ts";
import type { ChatEvent, ChatRequest } from "./types.ts";

/** Answers a conversation: renders it, generates, and parses the answer's channels as tokens arrive. */
export async function* chatEvents(model: LoadedModel, request: ChatRequest): AsyncGenerator<ChatEvent, void> {
  const { info } = model;
  const tokenizer = requireTokenizer(model.tokenizer, info.model.id);
  const prompt = renderChat(tokenizer, {
    ...request,
    reasoningEffort: request.reasoningEffort ?? "medium",
    currentDate: request.currentDate ?? localDate(new Date()),
  });
  const room = info.contextLength - prompt.length;
  const generation = startGeneration(model, prompt, {
    maxNewTokens: request.maxNewTokens ?? Math.max(1, room),
    guide: await guideFor(model, tokenizer, request),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  let calledTool = false;
  for await (const event of deltas(tokenizer, generation)) {
    calledTool ||= event.type === "tool-call";
    if (request.reasoning?.exclude !== true) yield event;
    else if (event.type === "recovery")
      yield { ...event, text: "" }; // it may be a piece of reasoning
    else if (event.type !== "reasoning") yield event;
  }
  const { finishReason, stats } = await generation.result;
  yield {
    type: "done",
    finishReason: finishReason === "stop" && calledTool ? "tool-call" : finishReason,
    stats,
  };
}

/** A plain answer is as the model writes it; abilities that a prompt alone does not grant keep it to rules. */
async function guideFor(model: LoadedModel, tokenizer: Tokenizer, request: ChatRequest): Promise<Guide> {
  const { vocabSize } = model.config;
  if (!needsRules(request)) return freeGuide(samplableTokens(tokenizer, vocabSize));
  return createAnswerGuide(tokenizer, vocabSize, await answerRules(tokenizer, model.grammar, request));
}

async function* deltas(tokenizer: Tokenizer, tokens: AsyncIterable<number>): AsyncGenerator<ChatEvent, void> {
  const parser = createHarmonyParser(tokenizer, { role: "assistant" });
  const stream = createChatStream();
  for await (const token of tokens) {
    for (const event of parser.push(token)) yield* stream.push(event);
  }
  for (const event of parser.end()) yield* stream.push(event);
}

/** A date as YYYY-MM-DD in local time. */
export function localDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
