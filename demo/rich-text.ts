import type { AnnotatedText } from "../src/index.ts";
import { make } from "./dom.ts";
import { type Block, type Inline, parseBlocks, parseInline } from "./rich-text-blocks.ts";

/** A place where growing Markdown text is shown. */
export interface RichText {
  /** Shows this text, its links to what was cited clickable; only what changed since the last call is built anew. */
  update(markdown: string, cited: ReadonlySet<string>): void;
}

/** Renders into `target` with DOM nodes alone: the model's text is never read as HTML. */
export function createRichText(target: HTMLElement): RichText {
  let shown: readonly Block[] = [];
  return {
    update: (markdown, cited) => {
      const blocks = parseBlocks(markdown);
      const same = blocks.findIndex((block, index) => !isSame(block, shown[index]));
      const kept = same === -1 ? blocks.length : same;
      while (target.childNodes.length > kept) target.lastChild?.remove();
      target.append(...blocks.slice(kept).map((block) => renderBlock(block, cited)));
      shown = blocks;
    },
  };
}

function isSame(block: Block, other: Block | undefined): boolean {
  return other !== undefined && block.type === other.type && block.source === other.source;
}

/** What the links stand for that citations were replaced by. */
export function citedTargets({ text, annotations }: AnnotatedText): ReadonlySet<string> {
  const targets = annotations.map(
    ({ start_index, end_index }) => /\]\((\S+)\)\) $/.exec(text.slice(start_index, end_index))?.[1],
  );
  return new Set(targets.filter((target) => target !== undefined));
}

function renderBlock(block: Block, cited: ReadonlySet<string>): HTMLElement {
  switch (block.type) {
    case "paragraph":
      return make("p", {}, renderInline(block.text, cited));
    case "heading":
      // The page has an h1; an answer's own headings go below a turn.
      return make(block.level <= 2 ? "h3" : "h4", {}, renderInline(block.text, cited));
    case "code":
      return make("pre", {}, [make("code", { text: block.text })]);
    case "list": {
      const items = block.items.map((item) => make("li", {}, renderInline(item, cited)));
      if (!block.isOrdered) return make("ul", {}, items);
      const list = make("ol", {}, items);
      list.start = block.start;
      return list;
    }
    case "table": {
      const [head = [], ...body] = block.rows;
      const row = (cells: readonly string[], tag: "th" | "td") =>
        make(
          "tr",
          {},
          cells.map((cell) => make(tag, {}, renderInline(cell, cited))),
        );
      const table = make("table", {}, [
        make("thead", {}, [row(head, "th")]),
        make(
          "tbody",
          {},
          body.map((cells) => row(cells, "td")),
        ),
      ]);
      return make("div", { className: "table-scroll" }, [table]);
    }
    default:
      return block satisfies never;
  }
}

const inlineTags = { code: "code", strong: "strong", emphasis: "em" } as const;

function renderInline(text: string, cited: ReadonlySet<string>): Node[] {
  return parseInline(text, cited).map((part: Inline) => {
    if (part.type === "text") return document.createTextNode(part.text);
    if (part.type === "link") return renderCitation(part.text, part.target);
    return make(inlineTags[part.type], { text: part.text });
  });
}

/** A web page opens apart; a document of the user's has nowhere to lead to. */
function renderCitation(title: string, target: string): HTMLElement {
  if (!/^https?:\/\//i.test(target)) return make("cite", { className: "citation", text: title });
  const link = make("a", { className: "citation", text: title });
  link.href = target;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.title = target;
  return link;
}
