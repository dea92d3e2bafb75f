import type { BrowserBackend } from "../../src/index.ts";
import { byId } from "../dom.ts";
import { openSource } from "./browser-sources.ts";
import { createDocumentsField } from "./documents-field.ts";

/** The fields that say what the browser tool reads. */
export interface BrowserFields {
  /** The backend; undefined, with the problem shown, where the fields give none. */
  read(): BrowserBackend | undefined;
  focus(): void;
}

export function createBrowserFields(): BrowserFields {
  const source = byId("browser-source", HTMLSelectElement);
  const pageUrl = byId("proxy-page", HTMLInputElement);
  const searchUrl = byId("proxy-search", HTMLInputElement);
  const documentsField = byId("documents-field", HTMLDivElement);
  const proxyField = byId("proxy-field", HTMLDivElement);
  const below = byId("browser-problem", HTMLParagraphElement);
  // An index is built once for each state of the fields, not at each question.
  let opened: BrowserBackend | undefined;

  function changed(): void {
    opened = undefined;
    showProblem("");
  }
  function showProblem(text: string): void {
    below.textContent = text;
    below.dataset.state = "wrong";
  }
  const documents = createDocumentsField({ onChange: changed, onProblem: showProblem });

  function showSource(): void {
    documentsField.hidden = source.value !== "documents";
    proxyField.hidden = source.value !== "proxy";
    changed();
  }
  showSource();
  source.addEventListener("change", showSource);
  for (const field of [pageUrl, searchUrl]) field.addEventListener("input", changed);

  return {
    read: () => {
      if (opened !== undefined) return opened;
      const result =
        source.value === "proxy"
          ? openSource({ kind: "proxy", pageUrl: pageUrl.value, searchUrl: searchUrl.value })
          : openSource({ kind: "documents", documents: documents.documents() });
      showProblem(result.ok ? "" : result.problem);
      if (!result.ok) return undefined;
      opened = result.value;
      return opened;
    },
    focus: () => {
      if (source.value === "proxy") pageUrl.focus();
      else byId("add-files", HTMLButtonElement).focus();
    },
  };
}
