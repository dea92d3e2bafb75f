import type { AnnotatedText, UrlCitation } from "../types.ts";
import { unquoted } from "./page.ts";

const citation = /【(\d+)†[^†】]+(?:†[^†】]+)?】/g;
const unfinished = /【\d*(?:†[^†】]*(?:†[^†】]*)?)?$/;

export interface CitationOptions {
  /** Leave out a citation that the text's end cuts: for text that is still being written. Default false. */
  readonly hidePartial?: boolean;
}

/**
 * Replaces citations such as `【3†L9-L11】` by ` ([host](url)) ` and says where they are. `urlOf` gives the address
 * behind a cursor; citations of unknown pages stay as they are.
 */
export function resolveCitations(
  text: string,
  urlOf: (cursor: number) => string | undefined,
  { hidePartial = false }: CitationOptions = {},
): AnnotatedText {
  const source = hidePartial ? text.replace(unfinished, "") : text;
  const annotations: UrlCitation[] = [];
  let resolved = "";
  let end = 0;
  for (const found of source.matchAll(citation)) {
    const url = urlOf(Number(found[1]));
    if (url === undefined || url === "") continue;
    resolved += source.slice(end, found.index);
    end = found.index + found[0].length;
    const title = unquoted(url).split("/")[2] || url;
    const start_index = resolved.length;
    resolved += ` ([${title}](${linkTarget(url)})) `;
    annotations.push({ type: "url_citation", start_index, end_index: resolved.length, url, title });
  }
  return { text: resolved + source.slice(end), annotations };
}

/** Round brackets and spaces would end a Markdown link's target early. */
function linkTarget(url: string): string {
  return url.replace(
    /[()\s]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
