import { EngineError, isEngineError } from "../src/index.ts";
import { createComposer } from "./composer.ts";
import { createConversation, type Question } from "./conversation.ts";
import { byId, makeButton } from "./dom.ts";
import { createErrorCard } from "./error-card.ts";
import { createModelPanel } from "./model-panel.ts";
import { createSession, type ModelStatus } from "./session.ts";
import { suggestions } from "./suggestions.ts";
import { createTurnList } from "./turn-list.ts";
import { readUrlParameters } from "./url-parameters.ts";

const parameters = readUrlParameters(location.search);
const announcer = byId("announcer", HTMLParagraphElement);
const welcome = byId("welcome", HTMLElement);
const suggestionButtons = byId("suggestions", HTMLFieldSetElement);
const errors = createErrorCard();
let loading: AbortController | undefined;

const session = createSession({ chunkBytes: parameters.chunkBytes, onStatus: showStatus });
const panel = createModelPanel({
  preset: parameters.model,
  onLoad: () => void load(),
  onCancel: () => {
    loading?.abort();
    conversation.stop();
  },
  onDelete: (id) =>
    void session
      .deleteModel(id)
      .then(refreshStored)
      .catch((error) => showError(error)),
});
const conversation = createConversation({
  session,
  parameters,
  turns: createTurnList(),
  onBusy: (isBusy) => {
    composer.setBusy(isBusy);
    panel.setBusy(isBusy);
    suggestionButtons.disabled = isBusy; // shown again by "New chat" before a running answer has stopped
    if (isBusy) welcome.hidden = true;
    announcer.textContent = isBusy ? "The model is answering." : "The answer has ended.";
    if (!isBusy) void refreshStored();
  },
  onError: (error, question) => errors.show(error, () => ask(question)),
});
const composer = createComposer({
  onSend: (text, effort) => {
    const model = panel.choice();
    if (model !== undefined) ask({ text, effort, model });
  },
  onStop: () => conversation.stop(),
});

function ask(question: Question): void {
  errors.hide();
  void conversation.ask(question);
}

async function load(): Promise<void> {
  const choice = panel.choice();
  if (choice === undefined) return;
  errors.hide();
  loading = new AbortController();
  try {
    await session.load(choice, loading.signal);
  } catch (error) {
    showError(error, () => void load());
  } finally {
    loading = undefined;
    await refreshStored();
  }
}

function showStatus(status: ModelStatus): void {
  panel.show(status);
  if (status.state === "ready") announcer.textContent = `${status.choice.name} is ready.`;
  // A worker that dies while nothing is asked of it would otherwise be noticed only at the next question.
  if (status.state === "error") showError(status.error, () => void load());
}

function showError(error: unknown, onRetry: () => void = () => {}): void {
  const known = isEngineError(error) ? error : new EngineError("internal", String(error));
  if (known.code !== "aborted") errors.show(known, onRetry);
}

/** The list is a convenience: where the storage cannot be read, loading will say so. */
async function refreshStored(): Promise<void> {
  try {
    panel.showStored(await session.models());
  } catch {
    panel.showStored([]);
  }
}

suggestionButtons.append(
  ...suggestions.map(({ question, effort }) => {
    const button = makeButton(
      question,
      () => {
        const model = panel.choice();
        if (model === undefined) return;
        composer.setEffort(effort);
        ask({ text: question, effort, model });
      },
      { className: "chip", testId: "suggestion" },
    );
    return button;
  }),
);
byId("new-chat", HTMLButtonElement).addEventListener("click", () => {
  conversation.clear();
  errors.hide();
  welcome.hidden = false;
  composer.focus();
});
void refreshStored();
