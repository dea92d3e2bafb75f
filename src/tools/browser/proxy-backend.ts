import { EngineError } from "../../errors.ts";
import type { BrowserBackend, BrowserDocument, SearchResult } from "./browser-backend.ts";

export interface ProxyBackendOptions {
  /**
   * Address that answers with the page at `{url}`, which is put in percent-encoded. Pages may not read other sites
   * themselves: the proxy must, and must allow this page's origin (CORS).
   */
  readonly pageUrl: string;
  /**
   * Address that answers a search for `{query}` of at most `{count}` results with JSON:
   * `{"results": [{"url", "title", "snippet"}]}`, where `content` or `description` stand in for `snippet` (SearXNG
   * answers so). Without it, search tells the model that it can only open addresses.
   */
  readonly searchUrl?: string;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** What a page holds beyond this is not read. Default 2 MiB. */
  readonly maxPageBytes?: number;
}

const defaultMaxPageBytes = 2 * 2 ** 20;

/**
 * The browser over a proxy of the embedder's choice. Reads HTML and text of http and https addresses.
 * @throws request-invalid for an address without its placeholder
 */
export function createProxyBackend(options: ProxyBackendOptions): BrowserBackend {
  const { pageUrl, searchUrl, fetch: load = globalThis.fetch, maxPageBytes = defaultMaxPageBytes } = options;
  requirePlaceholder("pageUrl", pageUrl, "{url}");
  if (searchUrl !== undefined) requirePlaceholder("searchUrl", searchUrl, "{query}");

  async function get(address: string, signal: AbortSignal): Promise<Response> {
    const response = await load(address, { signal, credentials: "omit", referrerPolicy: "no-referrer" });
    if (!response.ok) throw new Error(`The server answered with status ${response.status}.`);
    return response;
  }

  return {
    async search(query, topn, signal) {
      if (searchUrl === undefined) throw new Error("There is no search here. Open an address instead.");
      const response = await get(filled(searchUrl, { query, count: String(topn) }), signal);
      return readResults(await response.json()).slice(0, topn);
    },
    async open(url, signal) {
      const target = webAddress(url);
      const response = await get(filled(pageUrl, { url: target }), signal);
      const type = response.headers.get("content-type") ?? "text/html";
      const isHtml = /^\s*(?:text\/html|application\/xhtml\+xml)/i.test(type);
      if (!isHtml && !/^\s*(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml)\b)/i.test(type)) {
        await response.body?.cancel();
        throw new Error(`It is of type ${type}, which cannot be read as text.`);
      }
      const bytes = await readAtMost(response, maxPageBytes);
      const text = decode(bytes, type);
      return { url: target, ...(isHtml ? { html: text } : { text }) } satisfies BrowserDocument;
    },
  };
}

function requirePlaceholder(option: string, template: string, placeholder: string): void {
  if (template.includes(placeholder)) return;
  throw new EngineError(
    "request-invalid",
    `The proxy's ${option} needs ${placeholder} where the value goes, got ${JSON.stringify(template)}.`,
  );
}

function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : encodeURIComponent(value);
  });
}

/** Without a scheme, https is meant. */
function webAddress(url: string): string {
  const withScheme = /^[a-z][a-z\d+.-]*:(?!\d)/i.test(url) ? url : `https://${url.replace(/^\/\//, "")}`;
  const { protocol, href } = new URL(withScheme);
  if (protocol === "http:" || protocol === "https:") return href;
  throw new Error("Only http and https addresses can be opened.");
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let numBytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined && numBytes < maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    numBytes += value.length;
  }
  await reader?.cancel();
  const bytes = new Uint8Array(numBytes);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes.subarray(0, maxBytes);
}

/** By the charset of the header, else of the page's own meta element, else UTF-8. */
function decode(bytes: Uint8Array, type: string): string {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 2048));
  const label =
    /charset\s*=\s*["']?([\w:.-]+)/i.exec(type)?.[1] ??
    /<meta[^>]{0,200}charset\s*=\s*["']?([\w:.-]+)/i.exec(head)?.[1];
  try {
    return new TextDecoder(label ?? "utf-8").decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function readResults(answer: unknown): SearchResult[] {
  const list = isRecord(answer) ? answer.results : answer;
  if (!Array.isArray(list)) throw new Error("The search server's answer holds no list of results.");
  return list.filter(isRecord).flatMap((item) => {
    const { url, title, snippet, content, description } = item;
    if (typeof url !== "string") return [];
    return [{ url, title: textOf(title), snippet: textOf(snippet ?? content ?? description) }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
