import { type HtmlElement, type HtmlNode, parseHtml } from "./html-tree.ts";
import { type Page, withoutLinkMarks, withUrlLine } from "./page.ts";
import { createTextFlow, type TextFlow } from "./text-flow.ts";

// What gpt-oss was trained to read: openai/gpt-oss, tools/simple_browser/page_contents.py, which goes through the
// Python package html2text. Own code over the same rules, except that tails of removed elements and emoji are kept,
// sections are paragraphs, and no blanks end a line but before a break.

const hiddenTags = new Set("head script style math template svg noembed noframes iframe object".split(" "));
const paragraphTags = new Set(
  "p div section article header footer nav main aside figure figcaption form fieldset address details summary table dl pre blockquote ul ol".split(
    " ",
  ),
);

interface Reader {
  readonly flow: TextFlow;
  readonly url: string;
  /** Ids by target. */
  readonly urls: Map<string, number>;
  /** Numbers of the open lists' next items; undefined for bullets. */
  readonly lists: (number | undefined)[];
  numImages: number;
}

/** A page as the model reads it: its text, with links as `【id†text】` or `【id†text†domain】`. */
export function htmlPage({ html, url, title }: { html: string; url: string; title?: string }): Page {
  const root = parseHtml(html);
  const reader: Reader = { flow: createTextFlow(), url, urls: new Map(), lists: [], numImages: 0 };
  readAll(root, reader);
  const text = reader.flow
    .text()
    .replace(/^\s+$/gm, "")
    .replace(/\n(?:\s*\n)+/g, "\n\n");
  const ownTitle = title || collapsed(find(root, "title") ?? "").trim() || domainOf(url);
  return {
    url,
    title: withoutLinkMarks(ownTitle),
    text: withUrlLine(url, text),
    urls: [...reader.urls.keys()],
  };
}

function readAll(element: HtmlElement, reader: Reader): void {
  for (const child of element.children) read(child, reader);
}

function read(node: HtmlNode, reader: Reader): void {
  if (typeof node === "string") reader.flow.words(withoutLinkMarks(node));
  else if (!hiddenTags.has(node.tag) && !(node.tag === "a" && readLink(node, reader))) {
    const write = paragraphTags.has(node.tag) ? readBlock : (readers.get(node.tag) ?? readAll);
    write(node, reader);
  }
}

function readBlock(node: HtmlElement, reader: Reader): void {
  const { flow, lists } = reader;
  const { tag } = node;
  const isList = tag === "ul" || tag === "ol";
  if (!isList || lists.length === 0) flow.paragraph();
  const start = Number.parseInt(node.attributes.get("start") ?? "1", 10);
  if (isList) lists.push(tag === "ol" ? (Number.isNaN(start) ? 1 : start) : undefined);
  const prefix = tag === "blockquote" ? "> " : tag === "pre" ? "    " : "";
  flow.within({ prefix, preformatted: tag === "pre" }, () => readAll(node, reader));
  if (isList) lists.pop();
  if (!isList || lists.length === 0) flow.paragraph();
}

const readers: ReadonlyMap<string, (node: HtmlElement, reader: Reader) => void> = new Map([
  ...["h1", "h2", "h3", "h4", "h5", "h6"].map((tag) => [tag, readHeading] as const),
  ["title", () => {}],
  ["br", (_, { flow }) => flow.softBreak()],
  ["hr", (_, { flow }) => flow.rule()],
  ["img", (node, reader) => reader.flow.mark(imageText(node, reader))],
  ["li", readItem],
  ["tr", readRow],
  ["dt", readTerm],
  ["dd", readTerm],
  ["q", between('"')],
  ["code", between("`")],
  ["tt", between("`")],
  ["del", between("~~")],
  ["s", between("~~")],
  ["strike", between("~~")],
  ["sup", readScript],
  ["sub", readScript],
]);

/** Text between two signs. */
function between(sign: string): (node: HtmlElement, reader: Reader) => void {
  return (node, reader) => {
    reader.flow.sign(sign);
    readAll(node, reader);
    reader.flow.sign(sign);
  };
}

function readHeading(node: HtmlElement, reader: Reader): void {
  reader.flow.paragraph();
  reader.flow.marker(`${"#".repeat(Number(node.tag.slice(1)))} `);
  readAll(node, reader);
  reader.flow.paragraph();
}

function readItem(node: HtmlElement, reader: Reader): void {
  const { flow, lists } = reader;
  const number = lists.at(-1);
  flow.marker(`${"  ".repeat(Math.max(1, lists.length))}${number === undefined ? "* " : `${number}. `}`);
  if (number !== undefined) lists[lists.length - 1] = number + 1;
  readAll(node, reader);
  flow.lineBreak();
}

function readRow(node: HtmlElement, reader: Reader): void {
  readAll(node, reader);
  reader.flow.softBreak();
}

function readTerm(node: HtmlElement, reader: Reader): void {
  if (node.tag === "dd") reader.flow.marker("    ");
  else reader.flow.lineBreak();
  readAll(node, reader);
  reader.flow.lineBreak();
}

/** x<sup>2</sup> is x^{2}; anything longer than a word is plain text. */
function readScript(node: HtmlElement, reader: Reader): void {
  const word = onlyText(node);
  if (word === undefined || !/^[\p{L}\p{N}_-]+$/u.test(word)) readAll(node, reader);
  else reader.flow.mark(`${node.tag === "sup" ? "^" : "_"}{${withoutLinkMarks(word)}}`);
}

/** Text of an element that holds nothing else, or nothing but a link within the page. */
function onlyText({ children }: HtmlElement): string | undefined {
  const [only, ...others] = children;
  if (only === undefined || others.length > 0) return undefined;
  if (typeof only === "string") return only;
  const isAnchor = only.tag === "a" && only.attributes.get("href")?.startsWith("#");
  return isAnchor ? onlyText(only) : undefined;
}

function imageText({ attributes }: HtmlElement, reader: Reader): string {
  const name = attributes.get("alt") ?? attributes.get("title") ?? "";
  const number = reader.numImages++;
  return withoutLinkMarks(name === "" ? `[Image ${number}]` : `[Image ${number}: ${collapsed(name)}]`);
}

/** Writes a link; false where it leads nowhere or has no text, and its content is to be read as any other. */
function readLink(node: HtmlElement, reader: Reader): boolean {
  const href = node.attributes.get("href")?.trim();
  if (href === undefined || /^(?:mailto|javascript):/i.test(href)) return false;
  const text = collapsed(withoutLinkMarks(innerText(node).join(" "))).replaceAll("†", "‡");
  if (text.trim() === "") return false;
  if (href.startsWith("#")) {
    reader.flow.words(text);
    return true;
  }
  const target = resolved(href, reader.url);
  if (target === undefined) return false;
  const id = reader.urls.get(target) ?? reader.urls.size;
  reader.urls.set(target, id);
  const domain = domainOf(target);
  const isForeign = new URL(resolved(href, reader.url, false) ?? target).host !== domainOf(reader.url);
  reader.flow.mark(`【${id}†${text}${isForeign ? `†${domain}` : ""}】`);
  return true;
}

/** The absolute address, where it has a host; papers of arXiv are read at their HTML edition. */
function resolved(href: string, base: string, toHtmlEdition = true): string | undefined {
  try {
    const url = base === "" ? new URL(href) : new URL(href, base);
    if (url.host === "") return undefined;
    return toHtmlEdition ? url.href.replaceAll("arxiv.org", "ar5iv.org") : url.href;
  } catch {
    return undefined;
  }
}

/** Host and port of an address; empty where it has none. */
export function domainOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}

function innerText(node: HtmlNode): string[] {
  if (typeof node === "string") return [node];
  return hiddenTags.has(node.tag) ? [] : node.children.flatMap(innerText);
}

function collapsed(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** Text of the first element of a tag. */
function find(node: HtmlNode, tag: string): string | undefined {
  if (typeof node === "string") return undefined;
  if (node.tag === tag) return node.children.filter((child) => typeof child === "string").join("");
  for (const child of node.children) {
    const found = find(child, tag);
    if (found !== undefined) return found;
  }
  return undefined;
}
