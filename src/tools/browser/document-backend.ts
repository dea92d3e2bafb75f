import MiniSearch from "minisearch";
import { documentPage } from "./backend-pages.ts";
import type { BrowserBackend, BrowserDocument, SearchResult } from "./browser-backend.ts";
import type { Page } from "./page.ts";
import { wrapLines } from "./wrap-lines.ts";

const snippetCharacters = 240;

/** Scripts that do not part their words by spaces. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * The browser over a collection in memory: full-text search with prefixes and small misspellings, no network.
 * `url` of a document is any text that names it; where two share one, the later counts.
 */
export function createDocumentBackend(documents: readonly BrowserDocument[]): BrowserBackend {
  const byUrl = new Map(documents.map((entry) => [entry.url, entry]));
  const pages = new Map([...byUrl].map(([url, entry]) => [url, documentPage(entry)]));
  const index = new MiniSearch<{ url: string; title: string; text: string }>({
    idField: "url",
    fields: ["title", "text"],
    tokenize: words,
    searchOptions: {
      boost: { title: 2 },
      prefix: (term) => term.length > 2,
      fuzzy: (term) => (term.length > 4 ? 0.2 : 0),
    },
  });
  index.addAll([...pages].map(([url, { title, text }]) => ({ url, title, text: body(text) })));

  return {
    async search(query, topn) {
      return index
        .search(query)
        .slice(0, topn)
        .flatMap(({ id, match }): SearchResult[] => {
          const page = pages.get(String(id));
          return page === undefined
            ? []
            : [{ url: String(id), title: page.title, ...passage(page, Object.keys(match)) }];
        });
    },
    async open(url) {
      const found = byUrl.get(url);
      if (found === undefined) throw new Error("There is no document with this address in the collection.");
      return found;
    },
  };
}

function words(text: string): string[] {
  if (!unspaced.test(text)) return text.split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== "");
  const segments = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text);
  return Array.from(segments).flatMap(({ segment, isWordLike }) => (isWordLike === true ? [segment] : []));
}

/** The line in which most of the terms stand, and the text around it. */
function passage({ text }: Page, terms: readonly string[]): { snippet: string; line?: number } {
  const lines = wrapLines(text);
  let line = -1;
  let most = 0;
  lines.forEach((content, at) => {
    const lower = content.toLowerCase();
    const found = terms.filter((term) => lower.includes(term)).length;
    // The first lines are the address.
    if (found > most && at > 1) [line, most] = [at, found];
  });
  if (line < 0) return { snippet: shortened(body(text)) };
  return { line, snippet: shortened(lines.slice(line, line + 4).join(" ")) };
}

/** Without the line that holds the address. */
function body(text: string): string {
  return text.replace(/^\nURL: .*\n/, "");
}

function shortened(text: string): string {
  const flat = text
    .replace(/【\d+†([^†】]+)(?:†[^†】]+)?】/g, (_, content: string) => content)
    .replace(/\s+/g, " ")
    .trim();
  const characters = [...flat];
  return characters.length <= snippetCharacters
    ? flat
    : `${characters.slice(0, snippetCharacters - 1).join("")}…`;
}
