import { make } from "./dom.ts";
import { type Block, type Inline, parseBlocks, parseInline } from "./rich-text-blocks.ts";

/** A place where growing Markdown text is shown. */
export interface RichText {
  /** Shows this text; only what changed since the last call is built anew. */
  update(markdown: string): void;
}

/** Renders into `target` with DOM nodes alone: the model's text is never read as HTML. */
export function createRichText(target: HTMLElement): RichText {
  let shown: readonly Block[] = [];
  return {
    update: (markdown) => {
      const blocks = parseBlocks(markdown);
      const same = blocks.findIndex((block, index) => !isSame(block, shown[index]));
      const kept = same === -1 ? blocks.length : same;
      while (target.childNodes.length > kept) target.lastChild?.remove();
      target.append(...blocks.slice(kept).map(renderBlock));
      shown = blocks;
    },
  };
}

function isSame(block: Block, other: Block | undefined): boolean {
  return other !== undefined && block.type === other.type && block.source === other.source;
}

function renderBlock(block: Block): HTMLElement {
  switch (block.type) {
    case "paragraph":
      return make("p", {}, renderInline(block.text));
    case "heading":
      // The page has an h1; an answer's own headings go below a turn.
      return make(block.level <= 2 ? "h3" : "h4", {}, renderInline(block.text));
    case "code":
      return make("pre", {}, [make("code", { text: block.text })]);
    case "list": {
      const items = block.items.map((item) => make("li", {}, renderInline(item)));
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
          cells.map((cell) => make(tag, {}, renderInline(cell))),
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

function renderInline(text: string): Node[] {
  return parseInline(text).map((part: Inline) =>
    part.type === "text"
      ? document.createTextNode(part.text)
      : make(inlineTags[part.type], { text: part.text }),
  );
}
