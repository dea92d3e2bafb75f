import type { BrowserDocument } from "../../src/index.ts";
import { byId, make, makeButton } from "../dom.ts";
import { formatBytes } from "../format.ts";
import { isReadableFile, namedDocument } from "./browser-sources.ts";

/** The documents that the browser tool reads: picked, dropped or pasted. */
export interface DocumentsField {
  documents(): readonly BrowserDocument[];
}

export interface DocumentsFieldOptions {
  readonly onChange: () => void;
  readonly onProblem: (text: string) => void;
}

export function createDocumentsField({ onChange, onProblem }: DocumentsFieldOptions): DocumentsField {
  const list = byId("documents", HTMLUListElement);
  const picker = byId("files", HTMLInputElement);
  const addFilesButton = byId("add-files", HTMLButtonElement);
  let documents: readonly BrowserDocument[] = [];

  function set(next: readonly BrowserDocument[]): void {
    documents = next;
    list.replaceChildren(...documents.map(row));
    onChange();
  }

  function row(entry: BrowserDocument): HTMLLIElement {
    const { title = entry.url } = entry;
    const text = "html" in entry ? entry.html : entry.text;
    const remove = makeButton(
      "Remove",
      () => {
        set(documents.filter((other) => other !== entry));
        addFilesButton.focus();
      },
      { className: "quiet small" },
    );
    remove.setAttribute("aria-label", `Remove ${title}`);
    const size = formatBytes(new TextEncoder().encode(text).length);
    return make("li", {}, [
      make("span", { className: "document-name", text: title }),
      make("span", { className: "hint", text: size }),
      remove,
    ]);
  }

  async function addFiles(files: readonly File[]): Promise<void> {
    const refused = files.filter(({ name }) => !isReadableFile(name)).map(({ name }) => name);
    for (const file of files.filter(({ name }) => isReadableFile(name))) {
      try {
        const text = await file.text();
        set([...documents, namedDocument(file.name, text, documents)]);
      } catch {
        refused.push(file.name);
      }
    }
    if (refused.length > 0)
      onProblem(`Not added: ${refused.join(", ")}. Only .txt, .md and .html files can be read.`);
  }

  addFilesButton.addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    void addFiles([...(picker.files ?? [])]);
    picker.value = ""; // the same file may be picked again
  });
  acceptDrops(byId("documents-field", HTMLDivElement), (files) => void addFiles(files));
  acceptText((title, text) => set([...documents, namedDocument(title, text, documents)]), onProblem);
  return { documents: () => documents };
}

function acceptDrops(zone: HTMLElement, onFiles: (files: readonly File[]) => void): void {
  const isOver = (now: boolean) => zone.classList.toggle("over", now);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    isOver(true);
  });
  zone.addEventListener("dragleave", () => isOver(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault(); // and so it is no model's folder
    isOver(false);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}

function acceptText(onText: (title: string, text: string) => void, onProblem: (text: string) => void): void {
  const toggle = byId("add-text", HTMLButtonElement);
  const fields = byId("text-field", HTMLDivElement);
  const title = byId("text-title", HTMLInputElement);
  const body = byId("text-body", HTMLTextAreaElement);
  const setOpen = (isOpen: boolean) => {
    fields.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? title : toggle).focus();
  };
  toggle.addEventListener("click", () => setOpen(fields.hidden !== false));
  byId("add-text-now", HTMLButtonElement).addEventListener("click", () => {
    if (body.value.trim() === "") {
      onProblem("There is no text to add.");
      body.focus();
      return;
    }
    onText(title.value || "Notes", body.value);
    title.value = "";
    body.value = "";
    setOpen(false);
  });
}
