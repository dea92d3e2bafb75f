import {
  type ChatMessage,
  EngineError,
  isEngineError,
  type ReasoningEffort,
  runTools,
} from "../src/index.ts";
import { defaultTemperature, type ModelChoice } from "./model-choices.ts";
import type { Session } from "./session.ts";
import type { AnswerSettings } from "./tools/answer-settings.ts";
import type { ConversationTools, ToolChoices } from "./tools/conversation-tools.ts";
import type { TurnView } from "./turn-view.ts";
import type { UrlParameters } from "./url-parameters.ts";

/** A question and how to answer it. */
export interface Question {
  readonly text: string;
  readonly effort: ReasoningEffort;
  readonly model: ModelChoice;
  /** Default: free text, reasoning without limit. */
  readonly settings?: AnswerSettings;
  /** Default: none. */
  readonly tools?: ToolChoices;
}

/** What a conversation needs of an answer's view. */
export type AnswerView = Omit<TurnView, "element">;

export interface ConversationOptions {
  readonly session: Pick<Session, "status" | "load" | "chat">;
  readonly parameters: Pick<UrlParameters, "date" | "temperature">;
  readonly turns: { add(question: Question): AnswerView; clear(): void };
  readonly tools: Pick<ConversationTools, "options" | "reset">;
  /** Told when an answer begins and ends, for controls and announcements. */
  readonly onBusy: (isBusy: boolean) => void;
  readonly onError: (error: EngineError, question: Question) => void;
}

export interface Conversation {
  /** Loads the model if it is not, then streams the answer. Does nothing while an answer streams. Never rejects. */
  ask(question: Question): Promise<void>;
  stop(): void;
  /** Forgets everything said, and what a running answer has still to say. Busy until that has stopped. */
  clear(): void;
}

export function createConversation(options: ConversationOptions): Conversation {
  const { session, parameters, turns, tools } = options;
  let messages: readonly ChatMessage[] = [];
  let running: AbortController | undefined;
  // Counts conversations: an answer that was asked for in an earlier one belongs nowhere.
  let current = 0;

  async function answer(question: Question, view: AnswerView, signal: AbortSignal): Promise<void> {
    const own = current;
    if (session.status().state !== "ready") view.setNote("Waiting for the model…");
    await session.load(question.model, signal);
    view.setNote("Thinking…");
    const asked: ChatMessage = { role: "user", content: question.text };
    const request = {
      messages: [...messages, asked],
      reasoningEffort: question.effort,
      temperature: parameters.temperature ?? defaultTemperature(question.model),
      ...(parameters.date === undefined ? {} : { currentDate: parameters.date }),
      ...question.settings,
      signal,
    };
    let said: readonly ChatMessage[] = [];
    for await (const event of runTools(session, request, tools.options(question.tools ?? {}, view))) {
      view.show(event);
      if (event.type === "done") said = event.messages.filter(saysSomething);
    }
    // What was stopped before its answer began leaves no trace in the next prompt.
    if (own !== current || said.length === 0) return;
    messages = [...messages, asked, ...said];
  }

  async function ask(question: Question): Promise<void> {
    if (running !== undefined) return;
    const own = current;
    const controller = new AbortController();
    running = controller;
    const view = turns.add(question);
    options.onBusy(true);
    try {
      await answer(question, view, controller.signal);
      view.end(controller.signal.aborted ? "stopped" : "done");
    } catch (error) {
      const known = isEngineError(error) ? error : new EngineError("internal", String(error));
      view.end(known.code === "aborted" ? "stopped" : "error");
      if (known.code !== "aborted" && own === current) options.onError(known, question);
    } finally {
      running = undefined;
      options.onBusy(false);
    }
  }

  return {
    ask,
    stop: () => running?.abort(),
    clear: () => {
      current += 1;
      running?.abort();
      messages = [];
      tools.reset();
      turns.clear();
    },
  };
}

/** Not so an answer that was stopped while the model still reasoned. */
function saysSomething(message: ChatMessage): boolean {
  return message.role !== "assistant" || message.content !== "" || (message.toolCalls?.length ?? 0) > 0;
}
