import type { BrowserDocument, SearchResult } from "./browser-backend.ts";
import { domainOf, htmlPage } from "./html-page.ts";
import { type Page, textPage, withoutLinkMarks, withUrlLine } from "./page.ts";

export const viewSourcePrefix = "view-source:";

/** Results as a page of links, as the reference tool lays it out. */
export function searchPage(query: string, results: readonly SearchResult[]): Page {
  const items = results.map(({ url, title, snippet }, id) => {
    const text = (inline(title) || inline(url)).replaceAll("†", "‡");
    const domain = domainOf(url);
    return `  * 【${id}†${text}${domain === "" ? "" : `†${domain}`}】 ${inline(snippet)}`;
  });
  const list = items.length === 0 ? "No results." : items.join("\n");
  return {
    url: "",
    title: query,
    text: withUrlLine("", `# Search Results\n\n${list}`),
    urls: results.map(({ url }) => url),
    snippets: results.map(({ line }) => (line === undefined ? {} : { line })),
  };
}

function inline(text: string): string {
  return withoutLinkMarks(text).replace(/\s+/g, " ").trim();
}

/** A document as the model reads it. */
export function documentPage(found: BrowserDocument): Page {
  if ("html" in found) return htmlPage(found);
  const { url, text, title = domainOf(url) || url } = found;
  return textPage({ url, text, title });
}

/** A document's own text: HTML as it came. */
export function sourcePage(found: BrowserDocument): Page {
  const text = "html" in found ? found.html : found.text;
  const { title = domainOf(found.url) || found.url } = found;
  return { ...textPage({ url: viewSourcePrefix + found.url, text, title }), source: found.url };
}
