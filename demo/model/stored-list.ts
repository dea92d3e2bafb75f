import type { StorageFacts, StoredModelSummary } from "../../src/index.ts";
import { byId, make, makeButton } from "../dom.ts";
import { canExport } from "./folder-picker.ts";
import { storageSummary, storedChoice, storedFacts, storedName } from "./stored-view.ts";

/** What can be done with a stored model. */
export type StoredAction = "load" | "verify" | "repair" | "export" | "delete";

export interface StoredListOptions {
  readonly onAction: (action: StoredAction, model: StoredModelSummary) => void;
  readonly onImport: () => void;
}

/** A line below a model: what became of the last thing done with it. */
export interface StoredNote {
  readonly text: string;
  readonly isBad: boolean;
}

/** The storage manager: every stored model with its size, and what can be done with it. */
export interface StoredList {
  show(models: readonly StoredModelSummary[], facts: StorageFacts | undefined): void;
  /** Shown until the next note on this model. */
  note(id: string, note: StoredNote): void;
  /** Buttons do nothing while the engine works. */
  setEnabled(isEnabled: boolean): void;
}

export function createStoredList({ onAction, onImport }: StoredListOptions): StoredList {
  const list = byId("stored-models", HTMLUListElement);
  const summary = byId("storage-summary", HTMLParagraphElement);
  const importButton = byId("import-folder", HTMLButtonElement);
  const notes = new Map<string, StoredNote>();
  let models: readonly StoredModelSummary[] = [];
  let isEnabled = true;
  /** A button that is disabled loses the focus: it gets it back when the work it began has ended. */
  let pressed: string | undefined;
  importButton.addEventListener("click", onImport);

  function enable(): void {
    for (const button of [importButton, ...list.querySelectorAll("button")]) {
      button.disabled = !isEnabled || button.dataset.unavailable === "true";
    }
  }

  function act(action: StoredAction, model: StoredModelSummary): void {
    pressed = document.activeElement?.getAttribute("aria-label") ?? undefined;
    if (action === "load") notes.delete(model.id); // loading puts right what was found damaged
    onAction(action, model);
  }

  function focusOn(label: string): void {
    const again = [...list.querySelectorAll("button")].find((b) => b.getAttribute("aria-label") === label);
    (again ?? list.querySelector("button") ?? importButton).focus();
  }

  function row(model: StoredModelSummary): HTMLLIElement {
    const note = notes.get(model.id);
    const name = storedName(model.id, document.baseURI);
    const buttons = actionsFor(model, note).map(({ action, label, unavailable }) => {
      const button = makeButton(label, () => act(action, model), { className: "quiet small" });
      button.setAttribute("aria-label", `${label} ${name}`);
      button.dataset.action = action;
      if (unavailable !== undefined) {
        button.dataset.unavailable = "true";
        button.title = unavailable;
      }
      return button;
    });
    const said = make("p", { className: "stored-note", testId: "stored-note", text: note?.text ?? "" });
    if (note?.isBad) said.dataset.bad = "true";
    const parts = [
      make("span", { className: "stored-name", text: name }),
      make("span", { className: "stored-size", text: storedFacts(model) }),
      make("div", { className: "stored-actions" }, buttons),
      said,
    ];
    return make("li", {}, parts);
  }

  function render(): void {
    const focused = list.contains(document.activeElement) ? document.activeElement : undefined;
    const label = focused?.getAttribute("aria-label");
    list.replaceChildren(...models.map(row));
    enable();
    if (label !== undefined && label !== null) focusOn(label);
  }

  return {
    show: (now, facts) => {
      models = now;
      for (const id of notes.keys()) if (!now.some((model) => model.id === id)) notes.delete(id);
      summary.textContent = storageSummary(now, facts);
      render();
    },
    note: (id, note) => {
      notes.set(id, note);
      render();
    },
    setEnabled: (now) => {
      const isBack = now && !isEnabled;
      isEnabled = now;
      enable();
      if (!isBack || pressed === undefined) return;
      if (document.activeElement === document.body) focusOn(pressed);
      pressed = undefined;
    },
  };
}

interface ActionButton {
  readonly action: StoredAction;
  readonly label: string;
  /** Why it cannot be used. */
  readonly unavailable?: string;
}

function actionsFor(model: StoredModelSummary, note: StoredNote | undefined): readonly ActionButton[] {
  const buttons: ActionButton[] = [];
  // First, so that it moves none of the others from under the pointer.
  if (note?.isBad) buttons.push({ action: "repair", label: "Repair" });
  if (model.kind !== "adapter" && storedChoice(model) !== undefined) {
    buttons.push({ action: "load", label: model.ready ? "Load" : "Continue" });
  }
  buttons.push({ action: "verify", label: "Verify" });
  if (model.ready) {
    const why = canExport() ? {} : { unavailable: "This browser does not let pages write into folders." };
    buttons.push({ action: "export", label: "Export…", ...why });
  }
  buttons.push({ action: "delete", label: "Delete" });
  return buttons;
}
