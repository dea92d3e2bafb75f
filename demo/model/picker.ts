import type { StoredModelSummary } from "../../src/index.ts";
import { byId, make } from "../dom.ts";
import {
  choiceFromAddress,
  type ListedModel,
  listedFor,
  listedModels,
  type ModelChoice,
} from "../model-choices.ts";
import type { GivenFolder } from "./folder-picker.ts";
import { storedChoice, storedName } from "./stored-view.ts";

export interface PickerOptions {
  /** A model named in the page's address. */
  readonly preset: string | undefined;
  /** The user wants to choose a folder. */
  readonly onPickFolder: () => void;
  readonly onChange: () => void;
}

/** What is chosen: a listed model has more than a place. */
export type PickedModel = ModelChoice & Pick<Partial<ListedModel>, "published">;

/** The field that chooses a model: a listed one, one in storage, an address, or a folder. */
export interface Picker {
  /** Undefined, with a hint where `isLoud`, where the address is unusable or no folder is chosen. */
  choice(isLoud: boolean): PickedModel | undefined;
  /** Why there is no choice; empty where there is one. */
  problem(): string;
  showStored(models: readonly StoredModelSummary[]): void;
  selectStored(id: string): void;
  showFolder(folder: GivenFolder): void;
}

const addressValue = "address";
const folderValue = "folder";

export function createPicker(options: PickerOptions): Picker {
  const panel = byId("model-panel", HTMLDetailsElement);
  const select = byId("model-select", HTMLSelectElement);
  const urlRow = byId("model-url-row", HTMLDivElement);
  const url = byId("model-url", HTMLInputElement);
  const tokenRow = byId("model-token-row", HTMLDivElement);
  const token = byId("model-token", HTMLInputElement);
  const folderRow = byId("model-folder-row", HTMLDivElement);
  const folderFacts = byId("folder-facts", HTMLParagraphElement);
  const folderButton = byId("pick-folder", HTMLButtonElement);
  const keepCopy = byId("folder-import", HTMLInputElement);
  const storedGroup = make("optgroup");
  storedGroup.label = "Stored in this browser";
  let stored: readonly StoredModelSummary[] = [];
  let folder: GivenFolder | undefined;

  for (const { name, label } of listedModels) select.add(new Option(label, `listed:${name}`));
  select.add(new Option("Another checkpoint, by address…", addressValue));
  select.add(new Option("A folder on this device…", folderValue));
  if (options.preset !== undefined) {
    select.value = addressValue;
    url.value = options.preset;
  }

  function showRows(): void {
    urlRow.hidden = select.value !== addressValue;
    const typed = choiceFromAddress(url.value);
    tokenRow.hidden = urlRow.hidden || typed === undefined || !("hf" in typed.source);
    folderRow.hidden = select.value !== folderValue;
  }

  function changed(): void {
    showRows();
    options.onChange();
  }

  select.addEventListener("change", changed);
  url.addEventListener("input", () => {
    url.setCustomValidity("");
    showRows();
  });
  url.addEventListener("change", options.onChange);
  keepCopy.addEventListener("change", options.onChange);
  folderButton.addEventListener("click", options.onPickFolder);
  showRows();

  function problem(): string {
    const { value } = select;
    if (value === addressValue && choiceFromAddress(url.value) === undefined)
      return "Enter org/name or an address that begins with https://";
    if (value !== folderValue || folder?.view.isComplete) return "";
    return folder?.view.text ?? "Choose a folder first, or drop one on this page.";
  }

  function typedChoice(isLoud: boolean): ModelChoice | undefined {
    const choice = choiceFromAddress(url.value, token.value);
    if (choice === undefined && isLoud) {
      panel.open = true;
      url.setCustomValidity(problem());
      url.reportValidity();
    }
    return choice;
  }

  function folderChoice(isLoud: boolean): ModelChoice | undefined {
    if (folder?.view.isComplete) {
      const { location, view } = folder;
      return { name: view.name, source: keepCopy.checked ? { ...location, import: true } : location };
    }
    if (isLoud) {
      panel.open = true;
      folderFacts.textContent = problem();
      folderFacts.dataset.complete = "false";
      folderButton.focus();
    }
    return undefined;
  }

  return {
    problem,
    choice: (isLoud) => {
      const { value } = select;
      if (value === addressValue) return typedChoice(isLoud);
      if (value === folderValue) return folderChoice(isLoud);
      const listed = listedModels.find(({ name }) => value === `listed:${name}`);
      const model = stored.find(({ id }) => value === `stored:${id}`);
      return listed ?? (model && storedChoice(model));
    },
    showStored: (models) => {
      stored = models;
      const { value } = select;
      const others = models.filter(
        (model) =>
          model.kind !== "adapter" &&
          listedFor(model.id, document.baseURI) === undefined &&
          storedChoice(model) !== undefined,
      );
      storedGroup.replaceChildren(...others.map(({ id }) => new Option(storedName(id), `stored:${id}`)));
      if (others.length > 0) select.append(storedGroup);
      else storedGroup.remove();
      select.value = value;
      if (select.selectedIndex === -1) select.selectedIndex = 0; // the stored model that was chosen is gone
      showRows();
    },
    selectStored: (id) => {
      const listed = listedFor(id, document.baseURI);
      select.value = listed === undefined ? `stored:${id}` : `listed:${listed.name}`;
      changed();
    },
    showFolder: (given) => {
      folder = given;
      folderFacts.textContent = given.view.text;
      folderFacts.dataset.complete = String(given.view.isComplete);
      select.value = folderValue;
      panel.open = true;
      changed();
    },
  };
}
