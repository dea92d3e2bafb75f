import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { citedTargets } from "./rich-text.ts";
import { parseBlocks, parseInline } from "./rich-text-blocks.ts";

describe("blocks", () => {
  test("paragraphs are separated by empty lines and keep their line breaks", () => {
    expect(parseBlocks("one\ntwo\n\nthree")).toEqual([
      { type: "paragraph", source: "one\ntwo", text: "one\ntwo" },
      { type: "paragraph", source: "three", text: "three" },
    ]);
  });

  test("a list may follow a paragraph without an empty line", () => {
    expect(parseBlocks("Things:\n- a\n- b")).toMatchObject([
      { type: "paragraph" },
      { type: "list", isOrdered: false, items: ["a", "b"] },
    ]);
  });

  test("a numbered list starts where the text starts", () => {
    expect(parseBlocks("3. c\n4. d")).toMatchObject([
      { type: "list", isOrdered: true, start: 3, items: ["c", "d"] },
    ]);
  });

  test("code keeps its text as it is, closed or still open", () => {
    const code = { type: "code", language: "rust", text: "fn main() {\n\n  **x**\n}" };
    expect(parseBlocks("```rust\nfn main() {\n\n  **x**\n}\n```")).toMatchObject([code]);
    expect(parseBlocks("```rust\nfn main() {\n\n  **x**\n}")).toMatchObject([code]);
  });

  test("a table loses its rule", () => {
    expect(parseBlocks("| No. | Planet |\n| --- | --- |\n| 1 | Mercury |")).toMatchObject([
      {
        type: "table",
        rows: [
          ["No.", "Planet"],
          ["1", "Mercury"],
        ],
      },
    ]);
  });

  test("headings end at their line", () => {
    expect(parseBlocks("## Title\ntext")).toMatchObject([
      { type: "heading", level: 2, text: "Title" },
      { type: "paragraph", text: "text" },
    ]);
  });

  test("no line is lost, whatever the text", () => {
    const pieces = fc.constantFrom("a", "\n", "- ", "1. ", "```", "|", "# ", "**", " ", "`", "---", "<b>");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = parts.join("");
        const shown = parseBlocks(text).map(({ source }) => source);
        const lines = (whole: string) => whole.split("\n").filter((line) => line.trim() !== "");
        expect(lines(shown.join("\n"))).toEqual(lines(text));
      }),
    );
  });
});

describe("inline", () => {
  test("bold, code and emphasis", () => {
    expect(parseInline("27 + 58 = **85**, `x` and *y*")).toEqual([
      { type: "text", text: "27 + 58 = " },
      { type: "strong", text: "85" },
      { type: "text", text: ", " },
      { type: "code", text: "x" },
      { type: "text", text: " and " },
      { type: "emphasis", text: "y" },
    ]);
  });

  test.each(["47 * 36 * 2", "2*3*4", "an open **bold", "a ` tick", "<img src=x onerror=alert(1)>"])(
    "%s stays text",
    (text) => {
      expect(parseInline(text)).toEqual([{ type: "text", text }]);
    },
  );

  test("marks inside code stay text", () => {
    expect(parseInline("`**x**`")).toEqual([{ type: "code", text: "**x**" }]);
  });

  test("a link is one where it leads to what was cited, else text", () => {
    const text = "See ([tea](https://a.example/tea)) and [here](https://b.example).";
    expect(parseInline(text, new Set(["https://a.example/tea"]))).toEqual([
      { type: "text", text: "See (" },
      { type: "link", text: "tea", target: "https://a.example/tea" },
      { type: "text", text: ") and [here](https://b.example)." },
    ]);
    expect(parseInline(text)).toEqual([{ type: "text", text }]);
  });

  test("the targets of citations are read from the text that replaced them", () => {
    const text = "A ([tea](https://a.example/%28x%29))  [b](https://b.example)";
    const citation = { type: "url_citation", start_index: 1, end_index: 37, title: "tea" } as const;
    const annotated = { text, annotations: [{ ...citation, url: "https://a.example/(x)" }] };
    expect([...citedTargets(annotated)]).toEqual(["https://a.example/%28x%29"]);
  });
});
