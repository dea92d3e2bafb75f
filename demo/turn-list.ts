import { byId } from "./dom.ts";
import { stickToEnd } from "./sticky-scroll.ts";
import { createQuestionView, createTurnView, type TurnView } from "./turn-view.ts";

/** The turns of a conversation on the page, newest last. */
export interface TurnList {
  /** Appends a question and its answer to come, and scrolls there. */
  add(question: string): TurnView;
  clear(): void;
}

export function createTurnList(): TurnList {
  const turns = byId("turns", HTMLElement);
  const scroll = stickToEnd(byId("scroller", HTMLElement), turns);
  return {
    add: (question) => {
      const view = createTurnView();
      turns.append(createQuestionView(question), view.element);
      scroll.jump();
      return view;
    },
    clear: () => turns.replaceChildren(),
  };
}
