import { type AnnotatedText, type BuiltinTool, type ToolContext, ToolFailure } from "../types.ts";
import { type Arguments, errorObject, readArguments } from "./arguments.ts";
import { documentPage, searchPage, sourcePage, viewSourcePrefix } from "./backend-pages.ts";
import type { BrowserBackend } from "./browser-backend.ts";
import { type CitationOptions, resolveCitations } from "./citations.ts";
import { findInPage } from "./find-in-page.ts";
import { type Page, truncated } from "./page.ts";
import { estimateTokens, viewPage } from "./page-view.ts";

export interface BrowserToolOptions {
  readonly backend: BrowserBackend;
  /** Results asked of the backend, whatever the model asks for. Default 20. */
  readonly maxSearchResults?: number;
  /** Tokens of a page shown at once, about. Default 1024. */
  readonly viewTokens?: number;
  /** Counts them exactly, where a tokenizer is at hand. Default: an estimate. */
  readonly countTokens?: (text: string) => number;
}

/** The browser of one conversation. */
export interface BrowserTool extends BuiltinTool {
  /** Resolves citations such as `【3†L9-L11】` of an answer, or of the part of it that is written. */
  annotate(text: string, options?: CitationOptions): AnnotatedText;
}

/**
 * Harmony's built-in browser: search, open and find over a backend, with the texts of OpenAI's reference tool
 * (openai/gpt-oss, tools/simple_browser). Every display has the next cursor; what fails takes none. Two things
 * differ: a cursor keeps the page it showed, and a link id written as a string of digits is taken for a link id.
 */
export function createBrowserTool(options: BrowserToolOptions): BrowserTool {
  const { backend, maxSearchResults = 20, viewTokens = 1024, countTokens = estimateTokens } = options;
  /** By cursor. */
  const shown: Page[] = [];
  const known = new Map<string, Page>();

  function show(page: Page, { loc = 0, numLines = -1 }: { loc?: number; numLines?: number } = {}): string {
    const view = viewPage(page, shown.length, { loc, numLines, viewTokens, countTokens });
    shown.push(page);
    return view;
  }

  function pageAt(cursor: number): Page {
    const page = shown.at(cursor === -1 ? -1 : cursor);
    if (page === undefined && shown.length === 0) throw new ToolFailure("No pages to access!");
    if (page === undefined || cursor < -1 || !Number.isInteger(cursor)) {
      throw new ToolFailure(
        `Cursor \`${cursor}\` is out of range. Available cursor indices: [0 - ${shown.length - 1}].`,
      );
    }
    return page;
  }

  async function search(args: Arguments, { signal }: ToolContext): Promise<string> {
    const query = args.string("query");
    const results = await told(`Error during search for \`${query}\``, () =>
      backend.search(query, maxSearchResults, signal),
    );
    return show(searchPage(query, results.slice(0, maxSearchResults)));
  }

  async function open(args: Arguments, { signal }: ToolContext): Promise<string> {
    const numLines = args.number("num_lines", -1);
    const viewSource = args.boolean("view_source", false);
    const target = linkTarget(args, viewSource);
    const page = target.page ?? (await fetchPage(target, viewSource, signal));
    const wanted = args.number("loc", -1);
    return show(page, { loc: wanted < 0 ? startLine(target.line) : wanted, numLines });
  }

  /** What to open: a page that is at hand, or an address, anew where the model wrote it itself. */
  function linkTarget(args: Arguments, viewSource: boolean): LinkTarget {
    const id = args.numberOrString("id", -1);
    if (typeof id === "string") return { url: id, isFresh: true };
    const from = pageAt(args.number("cursor", -1));
    if (id < 0) return { url: from.url, ...(viewSource ? {} : { page: from }) };
    const url = from.urls[id];
    if (url === undefined) throw new ToolFailure(`Invalid link id \`${id}\`.`);
    const line = viewSource ? undefined : from.snippets?.[id]?.line;
    return { url, ...(line === undefined ? {} : { line }) };
  }

  async function fetchPage(target: LinkTarget, viewSource: boolean, signal: AbortSignal): Promise<Page> {
    const url = target.url.startsWith(viewSourcePrefix)
      ? target.url.slice(viewSourcePrefix.length)
      : target.url;
    const isSource = viewSource || url !== target.url;
    const key = isSource ? viewSourcePrefix + url : url;
    const cached = target.isFresh === true ? undefined : known.get(key);
    if (cached !== undefined) return cached;
    const found = await told(`Error fetching URL \`${truncated(key)}\``, () => backend.open(url, signal));
    const page = isSource ? sourcePage(found) : documentPage(found);
    known.set(key, page);
    return page;
  }

  async function find(args: Arguments): Promise<string> {
    const pattern = String(args.value("pattern") ?? args.string("pattern"));
    const page = pageAt(args.number("cursor", -1));
    if (page.snippets !== undefined)
      throw new ToolFailure("Cannot run `find` on search results page or find results page");
    return show(findInPage(page, pattern));
  }

  const functions = new Map([
    ["search", search],
    ["open", open],
    ["find", find],
  ]);
  return {
    name: "browser",
    async run(call, context) {
      const args = readArguments(call);
      const name = call.name.slice("browser.".length);
      const run = functions.get(name);
      if (run === undefined) throw errorObject(`Unknown function: ${name}`);
      return run(args, context);
    },
    annotate: (text, citationOptions) =>
      resolveCitations(text, (cursor) => shown[cursor]?.source ?? shown[cursor]?.url, citationOptions),
  };
}

interface LinkTarget {
  readonly url: string;
  /** At hand already: only another part of it is wanted. */
  readonly page?: Page;
  /** Line that the link stands for. */
  readonly line?: number;
  /** Fetch it even where it is known. */
  readonly isFresh?: boolean;
}

/** A little above the passage. */
function startLine(line = 0): number {
  return line > 4 ? line - 4 : line;
}

/** Errors of a backend, in the words the model knows; an abort passes through to whoever asked for it. */
async function told<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ToolFailure(`${what}: ${truncated(why)}`, { cause: error });
  }
}
