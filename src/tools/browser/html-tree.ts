import { decodeEntities } from "./html-entities.ts";

/** An element; text is a plain string. */
export interface HtmlElement {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: HtmlNode[];
}

export type HtmlNode = HtmlElement | string;

const voidTags = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
const rawTags = new Set("script style textarea title xmp iframe noembed noframes".split(" "));
const headTags = new Set("title meta link script style base noscript template".split(" "));

/** Elements that an opening tag ends, where they are the innermost ones. */
const endedBy = new Map<string, ReadonlySet<string>>();
function ends(opening: string, ended: string): void {
  for (const tag of opening.split(" "))
    endedBy.set(tag, new Set([...(endedBy.get(tag) ?? []), ...ended.split(" ")]));
}
ends("li", "li p");
ends("dt dd", "dt dd p");
ends("td th", "td th p");
ends("tr", "tr td th p");
ends("option optgroup", "option");
ends(
  "p div ul ol dl table blockquote pre hr h1 h2 h3 h4 h5 h6 section article header footer nav main aside figure form",
  "p",
);

/** Deeper nesting is flattened: it means nothing for text, and a hostile page must not exhaust the stack. */
const maxDepth = 200;

// One tag: its attributes run to the first > outside quotes, an unfinished one to the end.
const tagPattern =
  /<(\/?)([a-zA-Z][^\s/>]*)((?:[^>"'=]+|=\s*"[^"]*(?:"|$)|=\s*'[^']*(?:'|$)|["'=])*)(?:>|$)/y;
const attributePattern = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\s"'>]+)))?/g;

/**
 * A tree of any HTML, however malformed: it never throws, and takes time in proportion to the text. Good enough to
 * read the text and links of a page; it is no full HTML 5 parser (tables are not repaired, formatting not adopted).
 */
export function parseHtml(html: string): HtmlElement {
  const root = element("#root");
  const stack: HtmlElement[] = [root];
  const top = (): HtmlElement => stack.at(-1) ?? root;

  function open(tag: string, attributes: string, selfClosing: boolean): void {
    while (
      stack.length > 1 &&
      (endedBy.get(tag)?.has(top().tag) || (top().tag === "head" && !headTags.has(tag)))
    )
      stack.pop();
    if (tag === "a") close("a");
    const opened = element(tag, readAttributes(attributes));
    top().children.push(opened);
    if (!voidTags.has(tag) && !selfClosing && stack.length < maxDepth) stack.push(opened);
  }

  function close(tag: string): void {
    const index = stack.findLastIndex((open) => open.tag === tag);
    if (index > 0) stack.length = index;
  }

  for (let at = 0; at < html.length; ) {
    const next = html.indexOf("<", at);
    const end = next < 0 ? html.length : next;
    if (end > at) top().children.push(decodeEntities(html.slice(at, end)));
    if (next < 0) break;
    const skipped = skipMarkup(html, next);
    if (skipped > next) {
      at = skipped;
      continue;
    }
    tagPattern.lastIndex = next;
    const [whole, slash, name = "", attributes = ""] = tagPattern.exec(html) ?? [];
    if (whole === undefined) {
      top().children.push("<");
      at = next + 1;
      continue;
    }
    at = next + whole.length;
    const tag = name.toLowerCase();
    if (slash === "/") close(tag);
    else if (rawTags.has(tag)) {
      const from = at;
      const close = new RegExp(`</${tag}(?=[\\s/>])[^>]*>?`, "gi");
      close.lastIndex = from;
      const found = close.exec(html);
      at = found === null ? html.length : close.lastIndex;
      open(tag, attributes, true);
      const text = html.slice(from, found?.index);
      const own = top().children.at(-1);
      if (typeof own === "object")
        own.children.push(tag === "title" || tag === "textarea" ? decodeEntities(text) : text);
    } else open(tag, attributes, attributes.endsWith("/") && tag !== "a");
  }
  return root;
}

/** Where a comment, doctype or processing instruction at `at` ends; `at` itself where there is none. */
function skipMarkup(html: string, at: number): number {
  const after = (end: string, from: number): number => {
    const found = html.indexOf(end, from);
    return found < 0 ? html.length : found + end.length;
  };
  if (html.startsWith("<!--", at)) return html.startsWith("<!-->", at) ? at + 5 : after("-->", at + 4);
  if (html.startsWith("<![CDATA[", at)) return after("]]>", at + 9);
  return /[!?]/.test(html.charAt(at + 1)) || /^<\/[^a-zA-Z]/.test(html.slice(at, at + 3))
    ? after(">", at + 2)
    : at;
}

function element(tag: string, attributes: ReadonlyMap<string, string> = new Map()): HtmlElement {
  return { tag, attributes, children: [] };
}

function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single, bare] of text.matchAll(attributePattern)) {
    const key = name.toLowerCase();
    if (!attributes.has(key)) attributes.set(key, decodeEntities(double ?? single ?? bare ?? ""));
  }
  return attributes;
}
