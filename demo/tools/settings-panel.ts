import type { BrowserBackend } from "../../src/index.ts";
import { byId } from "../dom.ts";
import { type AnswerSettings, readBudget, readResponseFormat, reasoningOptions } from "./answer-settings.ts";
import { createBrowserFields } from "./browser-fields.ts";
import { createCheckedField } from "./checked-field.ts";
import type { ToolChoices } from "./conversation-tools.ts";
import { parseFunctionDefinitions } from "./function-definitions.ts";
import { summarizeSettings } from "./settings-summary.ts";

/** What the panel gives a question. */
export interface QuestionSettings {
  readonly settings: AnswerSettings;
  readonly tools: ToolChoices;
}

/** The panel above the question field: tools, format of the answer, reasoning. */
export interface SettingsPanel {
  /** The settings; undefined, with the panel open at the first wrong field, where they cannot be used. */
  read(): QuestionSettings | undefined;
}

export function createSettingsPanel(): SettingsPanel {
  const checkbox = (id: string) => byId(id, HTMLInputElement);
  const browserOn = checkbox("browser-on");
  const pythonOn = checkbox("python-on");
  const functionsOn = checkbox("functions-on");
  const functionsRequired = checkbox("functions-required");
  const hideReasoning = checkbox("hide-reasoning");
  const format = byId("format", HTMLSelectElement);
  const panel = byId("settings", HTMLElement);
  const toggle = byId("settings-toggle", HTMLButtonElement);
  const summary = byId("settings-summary", HTMLSpanElement);
  const browser = createBrowserFields();
  const functions = createCheckedField(
    byId("functions", HTMLTextAreaElement),
    parseFunctionDefinitions,
    (list) => `On: ${list.map(({ name }) => name).join(", ")}`,
  );
  const schema = createCheckedField(byId("schema", HTMLTextAreaElement), (text) =>
    readResponseFormat("json_schema", text),
  );
  const budget = createCheckedField(byId("budget", HTMLInputElement), readBudget);

  function setOpen(isOpen: boolean): void {
    panel.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
  }

  function refresh(): void {
    byId("browser-fields", HTMLDivElement).hidden = !browserOn.checked;
    byId("functions-fields", HTMLDivElement).hidden = !functionsOn.checked;
    byId("schema-fields", HTMLDivElement).hidden = format.value !== "json_schema";
    summary.textContent = summarizeSettings({
      browser: browserOn.checked,
      python: pythonOn.checked,
      functions: functionsOn.checked,
      format: format.value,
      budget: budget.field.value,
      hidesReasoning: hideReasoning.checked,
    });
    summary.title = summary.textContent; // on a narrow screen it is cut
  }

  /** Where the focus would be lost, it goes to the button that opens the panel again. */
  function close(): void {
    if (panel.contains(document.activeElement)) toggle.focus();
    setOpen(false);
  }

  toggle.addEventListener("click", () => setOpen(panel.hidden !== false));
  byId("settings-close", HTMLButtonElement).addEventListener("click", close);
  byId("composer-area", HTMLElement).addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || panel.hidden) return;
    event.stopPropagation(); // an answer that streams goes on: Escape closes what is open first
    close();
  });
  panel.addEventListener("input", refresh);
  refresh(); // browsers restore fields on reload

  function refuse(focus: () => void): undefined {
    setOpen(true);
    focus();
  }

  return {
    read: () => {
      let backend: BrowserBackend | undefined;
      if (browserOn.checked) {
        backend = browser.read();
        if (backend === undefined) return refuse(browser.focus);
      }
      const definitions = functionsOn.checked ? functions.read() : undefined;
      if (definitions?.ok === false) return refuse(() => functions.field.focus());
      const answer = format.value === "json_schema" ? schema.read() : readResponseFormat(format.value, "");
      if (!answer.ok) return refuse(() => schema.field.focus());
      const maxTokens = budget.read();
      if (!maxTokens.ok) return refuse(() => budget.field.focus());
      const reasoning = reasoningOptions(maxTokens.value, hideReasoning.checked);
      setOpen(false);
      return {
        settings: {
          ...(reasoning === undefined ? {} : { reasoning }),
          ...(answer.value.type === "text" ? {} : { responseFormat: answer.value }),
          ...(definitions !== undefined && functionsRequired.checked ? { toolChoice: "required" } : {}),
        },
        tools: {
          ...(backend === undefined ? {} : { browser: backend }),
          ...(pythonOn.checked ? { python: true } : {}),
          ...(definitions === undefined ? {} : { functions: definitions.value }),
        },
      };
    },
  };
}
