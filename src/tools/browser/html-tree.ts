import { htmlTokens } from "./html-tokens.ts";

/** An element; text is a plain string. */
export interface HtmlElement {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: HtmlNode[];
}

export type HtmlNode = HtmlElement | string;

const headTags = new Set("title meta link script style base noscript template".split(" "));
const cellTags = "td th p";

/** Elements that an opening tag ends where they are the innermost one. */
const endedBy: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [
    ["li", "li p"],
    ["dt dd", "dt dd p"],
    ["td th", cellTags],
    ["tr", `tr ${cellTags}`],
    ["option optgroup", "option"],
    [
      "p div ul ol dl table blockquote pre hr h1 h2 h3 h4 h5 h6 section article header footer nav main aside figure form",
      "p",
    ],
  ].flatMap(([opening = "", ended = ""]) =>
    opening.split(" ").map((tag) => [tag, new Set(ended.split(" "))] as const),
  ),
);

/** Deeper nesting is flattened: it means nothing for text, and a hostile page must not exhaust the stack. */
const maxDepth = 200;

/**
 * A tree of any HTML, however malformed: it never throws, and takes time in proportion to the text. Good enough to
 * read the text and links of a page; it is no full HTML 5 parser (tables are not repaired, formatting not adopted).
 */
export function parseHtml(html: string): HtmlElement {
  const root: HtmlElement = { tag: "#root", attributes: new Map(), children: [] };
  const stack = [root];
  const top = (): HtmlElement => stack.at(-1) ?? root;

  function close(tag: string): void {
    const index = stack.findLastIndex((open) => open.tag === tag);
    if (index > 0) stack.length = index;
  }

  function makeRoomFor(tag: string): void {
    const ended = endedBy.get(tag);
    while (ended?.has(top().tag) || (top().tag === "head" && !headTags.has(tag))) stack.pop();
    if (tag === "a") close("a"); // links do not nest
  }

  for (const token of htmlTokens(html)) {
    if (token.type === "text") top().children.push(token.text);
    else if (token.type === "close") close(token.tag);
    else {
      const { tag, attributes, isEmpty, isRaw } = token;
      makeRoomFor(tag);
      const opened: HtmlElement = { tag, attributes, children: [] };
      top().children.push(opened);
      if (isRaw || (!isEmpty && stack.length < maxDepth)) stack.push(opened);
    }
  }
  return root;
}
