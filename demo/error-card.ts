import type { EngineError } from "../src/index.ts";
import { byId, make, makeButton } from "./dom.ts";
import { failureSentence } from "./failure-sentences.ts";

/** The one place where failures are shown. */
export interface ErrorCard {
  show(error: EngineError, onRetry: () => void): void;
  hide(): void;
}

export function createErrorCard(): ErrorCard {
  const card = byId("error", HTMLElement);

  function hide(): void {
    card.hidden = true;
    card.replaceChildren();
    delete card.dataset.code;
  }

  return {
    hide,
    show: (error, onRetry) => {
      const { what, advice, action } = failureSentence(error);
      const parts: HTMLElement[] = [
        make("h2", { text: what }),
        make("p", { text: advice }),
        make("p", { className: "error-detail", text: error.message }),
      ];
      if (action === "retry") {
        parts.push(
          makeButton(
            "Try again",
            () => {
              hide();
              onRetry();
            },
            { testId: "retry" },
          ),
        );
      } else if (action === "reload") {
        parts.push(makeButton("Reload the page", () => location.reload(), { testId: "retry" }));
      }
      card.dataset.code = error.code;
      card.replaceChildren(...parts);
      card.hidden = false;
      card.scrollIntoView({ block: "nearest" });
    },
  };
}
