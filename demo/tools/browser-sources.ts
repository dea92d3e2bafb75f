import {
  type BrowserBackend,
  type BrowserDocument,
  createDocumentBackend,
  createProxyBackend,
  isEngineError,
} from "../../src/index.ts";
import { type Parsed, parsed, problem } from "./parse-json.ts";

/** Where the browser tool reads. */
export type BrowserSource =
  | { readonly kind: "documents"; readonly documents: readonly BrowserDocument[] }
  | { readonly kind: "proxy"; readonly pageUrl: string; readonly searchUrl: string };

const readableFile = /\.(?:txt|md|markdown|html?)$/i;

/** Whether a dropped file is one that the page can read as a document. */
export const isReadableFile = (name: string): boolean => readableFile.test(name);

/** A document of the user's, under an address that no other has. Slashes and brackets would end it in citations. */
export function namedDocument(
  name: string,
  text: string,
  taken: readonly BrowserDocument[],
): BrowserDocument {
  const base =
    name
      .replace(/[/\\]+/g, "-")
      .replace(/[[\]]+/g, "")
      .trim() || "Document";
  let title = base;
  for (let count = 2; taken.some((entry) => entry.title === title); count += 1) title = `${base} ${count}`;
  const url = `document://${encodeURIComponent(title)}`;
  return /\.html?$/i.test(base) ? { url, title, html: text } : { url, title, text };
}

/** The backend for what the user chose. */
export function openSource(source: BrowserSource): Parsed<BrowserBackend> {
  if (source.kind === "documents") {
    if (source.documents.length === 0)
      return problem("Add at least one document, or switch the browser off.");
    return parsed(createDocumentBackend(source.documents));
  }
  const pageUrl = source.pageUrl.trim();
  const searchUrl = source.searchUrl.trim();
  if (!isWebAddress(pageUrl)) return problem("Enter the proxy's address, beginning with https://.");
  if (searchUrl !== "" && !isWebAddress(searchUrl))
    return problem("Enter the search address with https://, or leave it empty.");
  try {
    return parsed(createProxyBackend({ pageUrl, ...(searchUrl === "" ? {} : { searchUrl }) }));
  } catch (error) {
    if (!isEngineError(error)) throw error;
    const [placeholder, field] = pageUrl.includes("{url}") ? ["{query}", "search"] : ["{url}", "page"];
    return problem(`The ${field} address needs ${placeholder} where the value goes.`);
  }
}

function isWebAddress(address: string): boolean {
  return /^https?:\/\/[^\s/]/.test(address);
}
