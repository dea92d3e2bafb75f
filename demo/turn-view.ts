import type { AnnotatedText, GenerateStats, NumberedCall, ToolsEvent } from "../src/index.ts";
import { make } from "./dom.ts";
import { formatRate, formatSeconds } from "./format.ts";
import type { CallDesk } from "./tools/conversation-tools.ts";
import { createToolCard, type ToolCard } from "./tools/tool-card.ts";
import { createAnswerPart, createReasoningPart, type TextPart } from "./turn-parts.ts";

export type TurnState = "streaming" | "done" | "stopped" | "error";

/** One turn of the model: reasoning, calls and answers as they come, what it cost below. */
export interface TurnView extends CallDesk {
  readonly element: HTMLElement;
  show(event: ToolsEvent): void;
  setNote(note: string): void;
  end(state: Exclude<TurnState, "streaming">): void;
}

export interface TurnViewOptions {
  /** The answer is to be JSON. */
  readonly isJson: boolean;
  /** Makes links of citations. */
  readonly annotate: (text: string, options: { readonly hidePartial: boolean }) => AnnotatedText;
  /** Says something to who cannot see the page. */
  readonly announce: (text: string) => void;
}

const stateTexts: Readonly<Record<TurnState, string>> = {
  streaming: "Thinking…",
  done: "",
  stopped: "Stopped",
  error: "Failed",
};

/** The user's side of a turn. */
export function createQuestionView(question: string): HTMLElement {
  return make("div", { className: "turn question", text: question });
}

/** An empty turn, streaming. */
export function createTurnView(options: TurnViewOptions): TurnView {
  const status = make("span", {
    className: "turn-status",
    testId: "turn-status",
    text: stateTexts.streaming,
  });
  const stats = make("span", { className: "stats", testId: "stats" });
  const foot = make("p", { className: "turn-foot" }, [status, stats]);
  const element = make("article", { className: "turn" }, [foot]);
  const cards = new Map<number, ToolCard>();
  let part: { readonly kind: "reasoning" | "content"; readonly text: TextPart } | undefined;
  setState("streaming");

  function setState(state: TurnState): void {
    status.dataset.state = state;
    status.textContent = stateTexts[state];
    element.setAttribute("aria-busy", String(state === "streaming"));
  }

  /** What was being written is complete; reasoning folds away. */
  function endPart(isFolding: boolean): void {
    part?.text.end();
    if (isFolding && part?.text.element instanceof HTMLDetailsElement) part.text.element.open = false;
    part = undefined;
  }

  function addText(kind: "reasoning" | "content", text: string): void {
    if (part?.kind !== kind) {
      endPart(true);
      part = { kind, text: kind === "reasoning" ? createReasoningPart() : createAnswerPart(options) };
      foot.before(part.text.element);
      part.text.add(text.replace(/^\n+/, ""));
    } else part.text.add(text);
    status.textContent = kind === "content" ? "Answering…" : stateTexts.streaming;
  }

  function cardOf(call: NumberedCall): ToolCard {
    const known = cards.get(call.id);
    if (known !== undefined) return known;
    endPart(true);
    const card = createToolCard(call);
    cards.set(call.id, card);
    foot.before(card.element);
    return card;
  }

  /** A note while the user has something to do; what is busy may go unread by screen readers. */
  async function during<T>(note: string, wait: Promise<T>): Promise<T> {
    status.textContent = note;
    options.announce(note);
    element.setAttribute("aria-busy", "false");
    const result = await wait;
    element.setAttribute("aria-busy", "true");
    status.textContent = "Working…";
    return result;
  }

  return {
    element,
    show: (event) => {
      switch (event.type) {
        case "reasoning":
        case "content":
          addText(event.type, event.text);
          break;
        case "tool-call":
          cardOf(event);
          break;
        case "tool-start":
          cardOf(event.call).show(event);
          status.textContent = `Running ${event.call.name}…`;
          break;
        case "tool-result":
        case "tool-denied":
        case "invalid-arguments":
          cardOf(event.call).show(event);
          status.textContent = stateTexts.streaming;
          break;
        case "recovery":
        case "round-done":
          break;
        case "done":
          stats.textContent = describeStats(event.stats);
          break;
        default:
          event satisfies never;
      }
    },
    approve: (call, allow) => {
      const card = cardOf(call);
      return during(`The model asks to call ${call.name}: approve or deny it.`, card.ask(allow));
    },
    result: (call, signal) =>
      during(`${call.name} needs its result, typed by you.`, cardOf(call).askResult(signal)),
    setNote: (note) => {
      status.textContent = note;
    },
    end: (state) => {
      endPart(false);
      for (const card of cards.values()) card.end();
      setState(state);
    },
  };
}

function describeStats(stats: GenerateStats): string {
  if (stats.newTokens === 0) return `${stats.promptTokens} tokens in, none out`;
  return [
    `${formatRate(stats.decodeTokensPerSecond)} tokens/s`,
    `first token after ${formatSeconds(stats.timeToFirstTokenMs)}`,
    `${stats.promptTokens} tokens in, ${stats.newTokens} out`,
  ].join(" · ");
}
