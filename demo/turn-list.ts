import type { Question } from "./conversation.ts";
import { byId } from "./dom.ts";
import { stickToEnd } from "./sticky-scroll.ts";
import { createQuestionView, createTurnView, type TurnView, type TurnViewOptions } from "./turn-view.ts";

/** The turns of a conversation on the page, newest last. */
export interface TurnList {
  /** Appends a question and its answer to come, and scrolls there. */
  add(question: Pick<Question, "text" | "settings">): TurnView;
  /** Removes all turns, and scrolls to what the page begins with. */
  clear(): void;
}

export function createTurnList(options: Omit<TurnViewOptions, "isJson">): TurnList {
  const turns = byId("turns", HTMLElement);
  const scroller = byId("scroller", HTMLElement);
  const scroll = stickToEnd(scroller, turns);
  return {
    add: ({ text, settings }) => {
      const format = settings?.responseFormat?.type ?? "text";
      const view = createTurnView({ ...options, isJson: format !== "text" });
      turns.append(createQuestionView(text), view.element);
      scroll.jump();
      return view;
    },
    clear: () => {
      turns.replaceChildren();
      scroller.scrollTop = 0;
    },
  };
}
