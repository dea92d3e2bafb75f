import type { ChatEvent, GenerateStats } from "../src/index.ts";
import { make } from "./dom.ts";
import { formatRate, formatSeconds } from "./format.ts";
import { createRichText } from "./rich-text.ts";

export type TurnState = "streaming" | "done" | "stopped" | "error";

/** One answer of the model: reasoning apart, the answer below it, what it cost below that. */
export interface TurnView {
  readonly element: HTMLElement;
  /** The final answer as text, so far. */
  answer(): string;
  show(event: ChatEvent): void;
  setNote(note: string): void;
  end(state: Exclude<TurnState, "streaming">): void;
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

/** An empty answer, streaming. */
export function createTurnView(): TurnView {
  const reasoningText = make("div", { className: "reasoning-text", testId: "reasoning-text" });
  const reasoning = make("details", { className: "reasoning" }, [
    make("summary", { text: "Reasoning (unfiltered)" }),
    reasoningText,
  ]);
  const answer = make("div", { className: "answer", testId: "answer-text" });
  const status = make("span", {
    className: "turn-status",
    testId: "turn-status",
    text: stateTexts.streaming,
  });
  const stats = make("span", { className: "stats", testId: "stats" });
  const foot = make("p", { className: "turn-foot" }, [status, stats]);
  const element = make("article", { className: "turn" }, [reasoning, answer, foot]);
  const richText = createRichText(answer);
  let answerText = "";
  let isDrawing = false;

  reasoning.hidden = true;
  reasoning.open = true;
  setState("streaming");

  function setState(state: TurnState): void {
    status.dataset.state = state;
    status.textContent = stateTexts[state];
    element.setAttribute("aria-busy", String(state === "streaming"));
  }

  function draw(): void {
    isDrawing = false;
    richText.update(answerText);
  }

  function addAnswer(text: string): void {
    // The reasoning folds away when the answer begins; whoever opens it again keeps it open.
    if (answerText === "") reasoning.open = false;
    answerText += text;
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(draw);
  }

  return {
    element,
    answer: () => answerText,
    show: (event) => {
      switch (event.type) {
        case "reasoning":
          reasoning.hidden = false;
          reasoningText.append(event.text);
          reasoningText.scrollTop = reasoningText.scrollHeight;
          break;
        case "content":
          status.textContent = "Answering…";
          addAnswer(event.text);
          break;
        case "tool-call":
          addAnswer(
            `\n\nThe model asked for the function \`${event.name}\` with:\n\n\`\`\`json\n${event.arguments}\n\`\`\`\n\nThis page offers no functions.`,
          );
          break;
        case "done":
          stats.textContent = describeStats(event.stats);
          break;
        default:
          event satisfies never;
      }
    },
    setNote: (note) => {
      status.textContent = note;
    },
    end: (state) => {
      draw(); // a page in the background draws no frames
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
