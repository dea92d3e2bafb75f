import { describe, expect, it } from "vitest";
import { createBrowserTool } from "./browser-tool.ts";
import { createDocumentBackend } from "./document-backend.ts";

const signal = new AbortController().signal;
const documents = [
  {
    url: "https://example.org/tea",
    title: "Tea",
    text: `${"Filler line.\n".repeat(30)}Oolong is a tea.\nIt is partly oxidised.`,
  },
  { url: "notes/coffee.md", title: "Coffee", text: "Coffee is roasted. Some drink tea instead." },
  {
    url: "https://example.org/html",
    html: "<title>Cups</title><p>A <a href='/x'>porcelain</a> cup &amp; saucer",
  },
  { url: "zh", title: "茶", text: "乌龙茶是一种半发酵茶。" },
];
const search = async (query: string, topn = 20) =>
  (await createDocumentBackend(documents).search(query, topn, signal)).map(({ url }) => url);

describe("createDocumentBackend", () => {
  it("finds by words, titles first, with prefixes and small misspellings", async () => {
    expect(await search("tea")).toEqual(["https://example.org/tea", "notes/coffee.md"]);
    expect(await search("tea", 1)).toEqual(["https://example.org/tea"]);
    expect(await search("porcel")).toEqual(["https://example.org/html"]);
    expect(await search("cofee")).toEqual(["notes/coffee.md"]);
    expect(await search("oolong TEA")).toEqual(["https://example.org/tea", "notes/coffee.md"]);
    expect(await search("zebra")).toEqual([]);
  });

  it("finds words of scripts without spaces, and no addresses", async () => {
    expect(await search("发酵")).toEqual(["zh"]);
    expect(await search("https")).toEqual([]);
  });

  it("shows the passage, without links, and the line at which it stands", async () => {
    const backend = createDocumentBackend(documents);
    const [tea] = await backend.search("oolong", 1, signal);
    expect(tea).toEqual({
      url: "https://example.org/tea",
      title: "Tea",
      snippet: "Oolong is a tea. It is partly oxidised.",
      line: 32,
    });
    expect((await backend.search("saucer", 1, signal))[0]?.snippet).toBe("A porcelain cup & saucer");
  });

  it("opens documents by any name, and says what is not there", async () => {
    const tool = createBrowserTool({ backend: createDocumentBackend(documents) });
    const run = (name: string, args: unknown) =>
      tool.run({ name: `browser.${name}`, arguments: JSON.stringify(args) }, { signal });
    expect(await run("search", { query: "roasted" })).toContain("【0†Coffee】 Coffee is roasted.");
    expect(await run("open", { id: 0 })).toMatch(/^\[1\] Coffee \(notes\/coffee\.md\)\n/);
    expect(tool.annotate("Roasted【1†L2】").annotations).toMatchObject([
      { url: "notes/coffee.md", title: "notes/coffee.md" },
    ]);
    await expect(run("open", { id: "notes/none.md" })).rejects.toThrow("no document with this address");
  });
});
