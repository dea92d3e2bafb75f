import type { ReasoningEffort } from "../src/index.ts";
import { byId } from "./dom.ts";

export interface ComposerOptions {
  /** False where the question cannot be asked as things stand: its text stays. */
  readonly onSend: (text: string, effort: ReasoningEffort) => boolean;
  readonly onStop: () => void;
}

export interface Composer {
  setBusy(isBusy: boolean): void;
  setEffort(effort: ReasoningEffort): void;
  focus(): void;
  /** Says beside the field why nothing was sent, until something is typed, chosen or sent. */
  refuse(reason: string): void;
}

const efforts: readonly ReasoningEffort[] = ["low", "medium", "high"];

/** The question field with its buttons. Enter sends, Shift+Enter breaks the line, Escape stops. */
export function createComposer({ onSend, onStop }: ComposerOptions): Composer {
  const form = byId("composer", HTMLFormElement);
  const question = byId("question", HTMLTextAreaElement);
  const effort = byId("effort", HTMLSelectElement);
  const sendButton = byId("send", HTMLButtonElement);
  const stopButton = byId("stop", HTMLButtonElement);
  const problem = byId("composer-problem", HTMLParagraphElement);
  let isBusy = false;
  const refuse = (reason: string) => {
    problem.textContent = reason;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = question.value.trim();
    if (isBusy || text === "") return;
    if (onSend(text, efforts.find((level) => level === effort.value) ?? "medium")) question.value = "";
  });
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  for (const type of ["input", "change"]) document.addEventListener(type, () => refuse(""));
  stopButton.addEventListener("click", onStop);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isBusy) onStop();
  });

  return {
    setBusy: (now) => {
      isBusy = now;
      refuse("");
      sendButton.hidden = now;
      stopButton.hidden = !now;
    },
    setEffort: (level) => {
      effort.value = level;
    },
    focus: () => question.focus(),
    refuse,
  };
}
