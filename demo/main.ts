import { EngineError, isEngineError } from "../src/index.ts";
import { createComposer } from "./composer.ts";
import { createConversation, type Question } from "./conversation.ts";
import { byId, makeButton } from "./dom.ts";
import { createErrorCard } from "./error-card.ts";
import { createModelControl } from "./model-control.ts";
import { createSession, type ModelStatus } from "./session.ts";
import { suggestions } from "./suggestions.ts";
import { createConversationTools } from "./tools/conversation-tools.ts";
import { createSettingsPanel, type QuestionSettings } from "./tools/settings-panel.ts";
import { createTurnList } from "./turn-list.ts";
import { readUrlParameters } from "./url-parameters.ts";

const parameters = readUrlParameters(location.search);
const announcer = byId("announcer", HTMLParagraphElement);
const welcome = byId("welcome", HTMLElement);
const suggestionButtons = byId("suggestions", HTMLFieldSetElement);
const errors = createErrorCard();

const session = createSession({ chunkBytes: parameters.chunkBytes, onStatus: showStatus });
const models = createModelControl({
  session,
  preset: parameters.model,
  chunkBytes: parameters.chunkBytes,
  onCancel: () => conversation.stop(),
  onError: showError,
  onBegin: () => {
    errors.hide();
    composer.refuse("");
  },
  announce: (text) => {
    announcer.textContent = text;
  },
});
const tools = createConversationTools();
const settings = createSettingsPanel();
const conversation = createConversation({
  session: { ...session, load: models.load },
  parameters,
  tools,
  turns: createTurnList({
    annotate: tools.annotate,
    announce: (text) => {
      announcer.textContent = text;
    },
  }),
  onBusy: (isBusy) => {
    composer.setBusy(isBusy);
    models.setBusy(isBusy);
    suggestionButtons.disabled = isBusy; // shown again by "New chat" before a running answer has stopped
    if (isBusy) welcome.hidden = true;
    announcer.textContent = isBusy ? "The model is answering." : "The answer has ended.";
    if (!isBusy) void models.refreshStored();
  },
  onError: (error, question) => errors.show(error, () => ask(question)),
});
const composer = createComposer({
  onSend: (text, effort) => {
    const chosen = chosenForQuestion();
    if (chosen === undefined) return false;
    ask({ text, effort, ...chosen });
    return true;
  },
  onStop: () => conversation.stop(),
});

/** The model and the settings; undefined, with the reason beside the question and at its field, where one is wrong. */
function chosenForQuestion(): (QuestionSettings & Pick<Question, "model">) | undefined {
  const model = models.choice();
  const chosen = model === undefined ? undefined : settings.read();
  if (model !== undefined && chosen !== undefined) return { model, ...chosen };
  composer.refuse(
    model === undefined ? `Not sent. ${models.problem()}` : "Not sent. Correct the field above.",
  );
  return undefined;
}

function ask(question: Question): void {
  errors.hide();
  void conversation.ask(question);
}

function showStatus(status: ModelStatus): void {
  models.show(status);
  if (status.state === "ready") announcer.textContent = `${status.choice.name} is ready.`;
  // A worker that dies while nothing is asked of it would otherwise be noticed only at the next question.
  if (status.state === "error") showError(status.error, () => void models.loadChosen());
}

function showError(error: unknown, onRetry: () => void = () => {}): void {
  const known = isEngineError(error) ? error : new EngineError("internal", String(error));
  if (known.code !== "aborted") errors.show(known, onRetry);
}

suggestionButtons.append(
  ...suggestions.map(({ question, effort }) => {
    const button = makeButton(
      question,
      () => {
        const chosen = chosenForQuestion();
        if (chosen === undefined) return;
        composer.setEffort(effort);
        ask({ text: question, effort, ...chosen });
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
void models.refreshStored();
