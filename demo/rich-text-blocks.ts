/** A part of an answer, with the source text it came from (unchanged source means unchanged block). */
export type Block =
  | { readonly type: "paragraph"; readonly source: string; readonly text: string }
  | { readonly type: "heading"; readonly source: string; readonly text: string; readonly level: number }
  | { readonly type: "code"; readonly source: string; readonly text: string; readonly language: string }
  | {
      readonly type: "list";
      readonly source: string;
      readonly items: readonly string[];
      readonly isOrdered: boolean;
      readonly start: number;
    }
  | { readonly type: "table"; readonly source: string; readonly rows: readonly (readonly string[])[] };

export type Inline =
  | { readonly type: "text" | "code" | "strong" | "emphasis"; readonly text: string }
  | { readonly type: "link"; readonly text: string; readonly target: string };

const fence = /^\s*```(.*)$/;
const bullet = /^\s*[-*•]\s+(.*)$/;
const numbered = /^\s*(\d{1,9})[.)]\s+(.*)$/;
const heading = /^(#{1,6})\s+(.*)$/;
const tableRow = /^\s*\|(.*)\|\s*$/;
const tableRule = /^\s*\|[\s:|-]+\|\s*$/;

/** The few Markdown blocks that gpt-oss writes in short answers. Whatever is none of them is a paragraph. */
export function parseBlocks(markdown: string): Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      at += 1;
      continue;
    }
    const end = blockEnd(lines, at);
    blocks.push(toBlock(lines.slice(at, end)));
    at = end;
  }
  return blocks;
}

/** Index after the last line of the block that begins at `start`. */
function blockEnd(lines: readonly string[], start: number): number {
  const first = lines[start] ?? "";
  if (fence.test(first)) {
    const close = lines.findIndex((line, index) => index > start && fence.test(line));
    return close === -1 ? lines.length : close + 1;
  }
  if (heading.test(first)) return start + 1;
  const kind = lineKind(first);
  let end = start + 1;
  while (end < lines.length && lineKind(lines[end] ?? "") === kind) end += 1;
  return end;
}

function lineKind(line: string): string {
  if (line.trim() === "") return "blank";
  if (fence.test(line)) return "fence";
  if (heading.test(line)) return "heading";
  if (tableRow.test(line)) return "table";
  if (bullet.test(line)) return "bullet";
  if (numbered.test(line)) return "numbered";
  return "paragraph";
}

function toBlock(lines: readonly string[]): Block {
  const source = lines.join("\n");
  const first = lines[0] ?? "";
  switch (lineKind(first)) {
    case "fence": {
      const isClosed = lines.length > 1 && fence.test(lines.at(-1) ?? "");
      const text = lines.slice(1, isClosed ? -1 : undefined).join("\n");
      return { type: "code", source, text, language: fence.exec(first)?.[1]?.trim() ?? "" };
    }
    case "heading": {
      const [, marks = "#", text = ""] = heading.exec(first) ?? [];
      return { type: "heading", source, text, level: marks.length };
    }
    case "table": {
      const rows = lines.filter((line) => !tableRule.test(line)).map(tableCells);
      return { type: "table", source, rows };
    }
    case "bullet":
      return {
        type: "list",
        source,
        items: lines.map((line) => bullet.exec(line)?.[1] ?? ""),
        isOrdered: false,
        start: 1,
      };
    case "numbered": {
      const items = lines.map((line) => numbered.exec(line)?.[2] ?? "");
      return { type: "list", source, items, isOrdered: true, start: Number(numbered.exec(first)?.[1] ?? 1) };
    }
    default:
      return { type: "paragraph", source, text: source };
  }
}

function tableCells(line: string): string[] {
  const inner = tableRow.exec(line)?.[1] ?? "";
  return inner.split("|").map((cell) => cell.trim());
}

const inlinePattern =
  /`([^`\n]+)`|\*\*([^*\n]+)\*\*|(?<![*\w])\*([^*\s][^*\n]*)\*(?![*\w])|\[([^\]\n]+)\]\(([^\s()]+)\)/g;

const none: ReadonlySet<string> = new Set();

/**
 * Code, bold and emphasis within a line. Marks without a partner stay text; so do links, except to what was `cited`: the
 * model does not choose what can be clicked.
 */
export function parseInline(text: string, cited: ReadonlySet<string> = none): Inline[] {
  const parts: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(inlinePattern)) {
    const [whole, code, strong, emphasis, label, target] = match;
    if (target !== undefined && !cited.has(target)) continue;
    if (match.index > at) parts.push({ type: "text", text: text.slice(at, match.index) });
    if (code !== undefined) parts.push({ type: "code", text: code });
    else if (strong !== undefined) parts.push({ type: "strong", text: strong });
    else if (emphasis !== undefined) parts.push({ type: "emphasis", text: emphasis });
    else if (label !== undefined && target !== undefined) parts.push({ type: "link", text: label, target });
    at = match.index + whole.length;
  }
  if (at < text.length) parts.push({ type: "text", text: text.slice(at) });
  return parts;
}
