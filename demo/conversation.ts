import { type ChatMessage, EngineError, isEngineError, type ReasoningEffort } from "../src/index.ts";
import { byId } from "./dom.ts";
import { localDate } from "./format.ts";
import type { ModelChoice } from "./model-choices.ts";
import type { Session } from "./session.ts";
import { stickToEnd } from "./sticky-scroll.ts";
import { createQuestionView, createTurnView, type TurnView } from "./turn-view.ts";
import type { UrlParameters } from "./url-parameters.ts";

/** A question and how to answer it. */
export interface Question {
  readonly text: string;
  readonly effort: ReasoningEffort;
  readonly model: ModelChoice;
}

export interface ConversationOptions {
  readonly session: Session;
  readonly parameters: UrlParameters;
  /** Told when an answer begins and ends, for controls and announcements. */
  readonly onBusy: (isBusy: boolean) => void;
  readonly onError: (error: EngineError, question: Question) => void;
}

export interface Conversation {
  /** Loads the model if it is not, then streams the answer. Never rejects. */
  ask(question: Question): Promise<void>;
  stop(): void;
  /** Forgets everything said. */
  clear(): void;
  isEmpty(): boolean;
}

export function createConversation(options: ConversationOptions): Conversation {
  const { session, parameters } = options;
  const turns = byId("turns", HTMLElement);
  const scroll = stickToEnd(byId("scroller", HTMLElement), turns);
  let messages: readonly ChatMessage[] = [];
  let running: AbortController | undefined;

  async function answer(question: Question, view: TurnView, signal: AbortSignal): Promise<void> {
    if (session.status().state !== "ready") view.setNote("Waiting for the model…");
    await session.load(question.model, signal);
    view.setNote("Thinking…");
    const asked: ChatMessage = { role: "user", content: question.text };
    const stream = session.chat({
      messages: [...messages, asked],
      reasoningEffort: question.effort,
      currentDate: parameters.date ?? localDate(new Date()),
      ...(parameters.temperature === undefined ? {} : { temperature: parameters.temperature }),
      signal,
    });
    for await (const event of stream) view.show(event);
    // What was stopped before its answer began leaves no trace in the next prompt.
    if (view.answer() === "") return;
    messages = [...messages, asked, { role: "assistant", content: view.answer() }];
  }

  async function ask(question: Question): Promise<void> {
    if (running !== undefined) return;
    const controller = new AbortController();
    running = controller;
    const view = createTurnView();
    const asked = createQuestionView(question.text);
    turns.append(asked, view.element);
    scroll.jump();
    options.onBusy(true);
    try {
      await answer(question, view, controller.signal);
      view.end(controller.signal.aborted ? "stopped" : "done");
    } catch (error) {
      const known = isEngineError(error) ? error : new EngineError("internal", String(error));
      view.end(known.code === "aborted" ? "stopped" : "error");
      if (known.code !== "aborted") options.onError(known, question);
    } finally {
      running = undefined;
      options.onBusy(false);
    }
  }

  return {
    ask,
    stop: () => running?.abort(),
    clear: () => {
      running?.abort();
      messages = [];
      turns.replaceChildren();
    },
    isEmpty: () => turns.childElementCount === 0,
  };
}
