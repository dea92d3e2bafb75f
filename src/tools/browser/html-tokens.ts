import { decodeEntities } from "./html-entities.ts";

/** A piece of an HTML text. `text` has its character references decoded. */
export type HtmlToken =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "open";
      readonly tag: string;
      readonly attributes: ReadonlyMap<string, string>;
      /** It has no content: `<br>`, `<x/>`. */
      readonly isEmpty: boolean;
      /** Its content is one text, and its end follows. */
      readonly isRaw: boolean;
    }
  | { readonly type: "close"; readonly tag: string };

const voidTags = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
/** Elements whose content is text up to their end tag. */
const rawTags = new Set("script style textarea title xmp iframe noembed noframes".split(" "));
const decodedRawTags = new Set(["textarea", "title"]);

// One tag: its attributes run to the first > outside quotes, an unfinished one to the end.
const tagPattern =
  /<(\/?)([a-zA-Z][^\s/>]*)((?:[^>"'=]+|=\s*"[^"]*(?:"|$)|=\s*'[^']*(?:'|$)|["'=])*)(?:>|$)/y;
const attributePattern = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\s"'>]+)))?/g;

/** Splits any text as browsers split HTML: comments and declarations fall away, a lone `<` is text. Never throws. */
export function* htmlTokens(html: string): Generator<HtmlToken> {
  for (let at = 0; at < html.length; ) {
    const next = html.indexOf("<", at);
    const end = next < 0 ? html.length : next;
    if (end > at) yield { type: "text", text: decodeEntities(html.slice(at, end)) };
    if (next < 0) return;
    at = skipMarkup(html, next);
    if (at > next) continue;
    tagPattern.lastIndex = next;
    const [whole, slash, name = "", attributes = ""] = tagPattern.exec(html) ?? [];
    if (whole === undefined) {
      yield { type: "text", text: "<" };
      at = next + 1;
      continue;
    }
    at = next + whole.length;
    const tag = name.toLowerCase();
    if (slash === "/") yield { type: "close", tag };
    else {
      // `<a href=/x/>` has a link that ends in a slash.
      const isEmpty = voidTags.has(tag) || (attributes.endsWith("/") && tag !== "a");
      const isRaw = rawTags.has(tag) && !isEmpty;
      yield { type: "open", tag, attributes: readAttributes(attributes), isEmpty, isRaw };
      if (isRaw) at = yield* rawContent(html, tag, at);
    }
  }
}

/** Text of an element that holds nothing else, and its end. @returns where the HTML goes on */
function* rawContent(html: string, tag: string, from: number): Generator<HtmlToken, number> {
  const closing = new RegExp(`</${tag}(?=[\\s/>])[^>]*>?`, "gi");
  closing.lastIndex = from;
  const found = closing.exec(html);
  const text = html.slice(from, found?.index);
  yield { type: "text", text: decodedRawTags.has(tag) ? decodeEntities(text) : text };
  yield { type: "close", tag };
  return found === null ? html.length : closing.lastIndex;
}

/** Where a comment, doctype or processing instruction at `at` ends; `at` itself where there is none. */
function skipMarkup(html: string, at: number): number {
  const after = (end: string, from: number): number => {
    const found = html.indexOf(end, from);
    return found < 0 ? html.length : found + end.length;
  };
  if (html.startsWith("<!-->", at)) return at + 5;
  if (html.startsWith("<!--", at)) return after("-->", at + 4);
  if (html.startsWith("<![CDATA[", at)) return after("]]>", at + 9);
  const isBogus = /^<(?:[!?]|\/[^a-zA-Z])/.test(html.slice(at, at + 3));
  return isBogus ? after(">", at + 2) : at;
}

function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single, bare] of text.matchAll(attributePattern)) {
    const key = name.toLowerCase();
    if (!attributes.has(key)) attributes.set(key, decodeEntities(double ?? single ?? bare ?? ""));
  }
  return attributes;
}
