import { type Page, type PageSnippet, quoted } from "./page.ts";
import { wrapLines } from "./wrap-lines.ts";

const maxMatches = 50;
const linesShown = 4;

/** The places of a page where a text stands, in any case, as a page of their own. */
export function findInPage(page: Page, pattern: string): Page {
  const wanted = pattern.toLowerCase();
  const lines = withoutLinks(wrapLines(page.text).join("\n")).split("\n");
  const chunks: string[] = [];
  const snippets: PageSnippet[] = [];
  for (let line = 0; line < lines.length && chunks.length < maxMatches; ) {
    if (!lines[line]?.toLowerCase().includes(wanted)) {
      line++;
      continue;
    }
    const excerpt = lines.slice(line, line + linesShown).join("\n");
    chunks.push(`# 【${chunks.length}†match at L${line}】\n${excerpt}`);
    snippets.push({ line });
    line += linesShown;
  }
  return {
    url: `${page.url}/find?pattern=${quoted(wanted)}`,
    source: page.source ?? page.url,
    title: `Find results for text: \`${wanted}\` in \`${page.title}\``,
    text: chunks.length === 0 ? `No \`find\` results for pattern: \`${wanted}\`` : chunks.join("\n\n"),
    urls: chunks.map(() => page.url),
    snippets,
  };
}

/** Links stand as their text alone, also those cut by the page's ends. */
function withoutLinks(text: string): string {
  return text
    .replace(/^[^【】]*】/, "")
    .replace(/【\d*(?:†([^†】]*)(?:†[^†】]*)?)?$/, (_, content: string | undefined) => content ?? "")
    .replace(/【\d+†([^†】]+)(?:†[^†】]+)?】/g, (_, content: string) => content);
}
