import { describe, expect, it } from "vitest";
import { type BuiltinTool, ToolFailure } from "../types.ts";
import type { BrowserBackend } from "./browser-backend.ts";
import { type BrowserToolOptions, createBrowserTool } from "./browser-tool.ts";

const story = Array.from({ length: 60 }, (_, index) => `Sentence number ${index} of the story.`).join("\n");
const documents = new Map([
  [
    "https://example.org/a",
    { html: `<title>First</title><p>See <a href="/b">the second</a>.</p><p>Rain.</p>` },
  ],
  ["https://example.org/b", { text: story, title: "Second" }],
]);
const opened: string[] = [];
const backend: BrowserBackend = {
  async search(query, topn) {
    if (query === "broken") throw new Error("no network");
    const results = [
      { url: "https://example.org/a", title: "First † page", snippet: "About\nrain 【1†x】" },
      { url: "https://example.org/b", title: "Second", snippet: "A story", line: 22 },
    ];
    return results.slice(0, topn);
  },
  async open(url) {
    opened.push(url);
    const found = documents.get(url);
    if (found === undefined) throw new Error("404");
    return { url, ...found };
  },
};
const signal = new AbortController().signal;

const browser = (options: Partial<BrowserToolOptions> = {}) => createBrowserTool({ backend, ...options });
const ask = (tool: BuiltinTool, name: string, args: unknown = {}) =>
  tool.run(
    { name: `browser.${name}`, arguments: typeof args === "string" ? args : JSON.stringify(args) },
    { signal },
  );
const failure = async (answer: Promise<string>): Promise<string> => {
  const error = await answer.then(
    (text) => text,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolFailure);
  return (error as ToolFailure).message;
};

describe("browser.search", () => {
  it("shows results as a page without address, with a link for each", async () => {
    expect(await ask(browser(), "search", { query: "rain", topn: 1 })).toBe(
      [
        "[0] rain",
        "**viewing lines [0 - 5] of 5**",
        "",
        "L0: ",
        "L1: URL: ",
        "L2: # Search Results",
        "L3: ",
        "L4:   * 【0†First ‡ page†example.org】 About rain 〖1†x〗",
        "L5:   * 【1†Second†example.org】 A story",
      ].join("\n"),
    );
    expect(await ask(browser({ maxSearchResults: 1 }), "search", { query: "rain" })).not.toContain("Second");
  });

  it("tells what the backend throws, and takes no cursor for it", async () => {
    const tool = browser();
    expect(await failure(ask(tool, "search", { query: "broken" }))).toBe(
      "Error during search for `broken`: no network",
    );
    expect(await ask(tool, "search", { query: "x" })).toMatch(/^\[0\] x\n/);
  });
});

describe("browser.open", () => {
  it("follows a link of the results, a link of a page, and an address", async () => {
    const tool = browser();
    await ask(tool, "search", { query: "rain" });
    expect(await ask(tool, "open", { id: 0 })).toBe(
      [
        "[1] First (https://example.org/a)",
        "**viewing lines [0 - 4] of 4**",
        "",
        "L0: ",
        "L1: URL: https://example.org/a",
        "L2: See 【0†the second】.",
        "L3: ",
        "L4: Rain.",
      ].join("\n"),
    );
    expect(await ask(tool, "open", { id: "0" })).toMatch(/^\[2\] Second \(https:\/\/example\.org\/b\)\n/);
    expect(await ask(tool, "open", { id: "https://example.org/b" })).toMatch(/^\[3\] Second/);
    expect(await ask(tool, "open", { id: 0, cursor: 0 })).toMatch(/^\[4\] First/);
  });

  it("begins four lines above the passage that a result stands for", async () => {
    const tool = browser();
    await ask(tool, "search", { query: "story" });
    expect(await ask(tool, "open", { id: 1 })).toContain("**viewing lines [18 - 61] of 61**\n\nL18: ");
    expect(await ask(tool, "open", { id: 1, cursor: 0, loc: 3, num_lines: 2 })).toBe(
      "[2] Second (https://example.org/b)\n**viewing lines [3 - 4] of 61**\n\nL3: Sentence number 1 of the story.\nL4: Sentence number 2 of the story.",
    );
  });

  it("scrolls the page at hand, each view with its own cursor, without fetching it again", async () => {
    const tool = browser({ viewTokens: 50 });
    await ask(tool, "open", { id: "https://example.org/b" });
    const before = opened.length;
    expect(await ask(tool, "open", { loc: 40 })).toMatch(
      /^\[1\] Second[^\n]*\n\*\*viewing lines \[40 - 4\d\] of 61/,
    );
    expect(await ask(tool, "open", { loc: 10, cursor: 0, num_lines: 100 })).toContain("[10 - 61] of 61");
    expect(opened.length).toBe(before);
  });

  it("uses what it knows for links, and fetches an address anew", async () => {
    const tool = browser();
    await ask(tool, "search", { query: "rain" });
    const before = opened.length;
    await ask(tool, "open", { id: 0 });
    await ask(tool, "open", { id: 0, cursor: 0 });
    expect(opened.length).toBe(before + 1);
    await ask(tool, "open", { id: "https://example.org/a" });
    expect(opened.length).toBe(before + 2);
  });

  it("shows the source of a page", async () => {
    const tool = browser();
    await ask(tool, "open", { id: "https://example.org/a" });
    const source = await ask(tool, "open", { view_source: true });
    expect(source).toMatch(/^\[1\] example\.org \(view-source:https:\/\/example\.org\/a\)\n/);
    expect(source).toContain("<title>First</title>");
    expect(await ask(tool, "open", { id: "view-source:https://example.org/a" })).toContain("<title>");
  });

  it("shows a decoded address of at most 1024 characters", async () => {
    const url = `https://example.org/a%20b%C3%A9%FF?${"x".repeat(2000)}`;
    const tool = browser({ backend: { ...backend, open: async () => ({ url, text: "t" }) } });
    const [head = ""] = (await ask(tool, "open", { id: url })).split("\n");
    expect(head.startsWith("[0] example.org (https://example.org/a bé\uFFFD?xxx")).toBe(true);
    expect(head.endsWith("x...)")).toBe(true);
    expect(head.length).toBe("[0] example.org ()".length + 1024);
  });

  it.each([
    ["before any page", {}, "No pages to access!"],
    ["an unknown address", { id: "https://nowhere/" }, "Error fetching URL `https://nowhere/`: 404"],
  ])("fails %s", async (_, args, message) => {
    expect(await failure(ask(browser(), "open", args))).toBe(message);
  });

  it.each([
    ["an unknown link", { id: 7 }, "Invalid link id `7`."],
    ["a cursor to come", { cursor: 1 }, "Cursor `1` is out of range. Available cursor indices: [0 - 0]."],
    ["a negative cursor", { cursor: -2 }, "Cursor `-2` is out of range. Available cursor indices: [0 - 0]."],
    [
      "a line beyond the last",
      { loc: 62 },
      "Invalid location parameter: `62`. Cannot exceed page maximum of 61.",
    ],
    ["a cursor of words", { cursor: "last" }, "`cursor` should be an integer, not `str`"],
  ])("fails for %s, and takes no cursor for it", async (_, args, message) => {
    const tool = browser();
    await ask(tool, "open", { id: "https://example.org/b" });
    expect(await failure(ask(tool, "open", args))).toBe(message);
    expect(await ask(tool, "open", {})).toMatch(/^\[1\] /);
  });
});

describe("browser.find", () => {
  it("shows each match with the lines after it, whatever the case", async () => {
    const tool = browser();
    await ask(tool, "open", { id: "https://example.org/b" });
    expect(await ask(tool, "find", { pattern: "NUMBER 1 " })).toBe(
      [
        "[1] Find results for text: `number 1 ` in `Second` (https://example.org/b/find?pattern=number 1 )",
        "**viewing lines [0 - 4] of 4**",
        "",
        "L0: # 【0†match at L3】",
        "L1: Sentence number 1 of the story.",
        "L2: Sentence number 2 of the story.",
        "L3: Sentence number 3 of the story.",
        "L4: Sentence number 4 of the story.",
      ].join("\n"),
    );
    expect(await ask(tool, "open", { id: 0 })).toContain(
      "[2] Second (https://example.org/b)\n**viewing lines [3 - ",
    );
  });

  it("shows at most 50 matches, none twice, and says where there are none", async () => {
    const text = Array.from({ length: 300 }, (_, index) => `match ${index}`).join("\n");
    const tool = browser({
      backend: { ...backend, open: async (url) => ({ url, text }) },
      viewTokens: 10_000,
    });
    await ask(tool, "open", { id: "https://example.org/m" });
    const found = await ask(tool, "find", { pattern: "match" });
    expect(found.match(/†match at L/g)?.length).toBe(50);
    expect(found).toContain("match at L2】");
    expect(found).toContain("match at L6】");
    expect(await ask(tool, "find", { pattern: "none", cursor: 0 })).toContain(
      "L0: No `find` results for pattern: `none`",
    );
  });

  it("sees links as their text", async () => {
    const tool = browser();
    await ask(tool, "open", { id: "https://example.org/a" });
    expect(await ask(tool, "find", { pattern: "see the second" })).toContain("L1: See the second.");
  });

  it("refuses pages of results", async () => {
    const tool = browser();
    await ask(tool, "search", { query: "rain" });
    const message = "Cannot run `find` on search results page or find results page";
    expect(await failure(ask(tool, "find", { pattern: "rain" }))).toBe(message);
  });
});

describe("arguments of the browser", () => {
  it.each([
    ["search", "{query: rain}", '{"error": "Invalid function arguments"}'],
    ["search", "[1]", '{"error": "Invalid function arguments"}'],
    ["search", "", '{"error": "Invalid function arguments"}'],
    ["find", { pattern: null }, '{"error": "Invalid function arguments"}'],
    ["open", { id: {} }, '{"error": "Invalid function arguments"}'],
    ["click", "{}", '{"error": "Unknown function: click"}'],
  ])("of %s: %j", async (name, args, message) => {
    expect(await failure(ask(browser(), name, args))).toBe(message);
  });
});

describe("citations of the browser", () => {
  it("become links, with annotations that point at them", async () => {
    const tool = browser();
    await ask(tool, "search", { query: "rain" });
    await ask(tool, "open", { id: 0 });
    await ask(tool, "find", { pattern: "rain" });
    const { text, annotations } = tool.annotate("It rains【1†L4】, a lot【2†L0-L1†x】. See【0†L4】【9†L1】.");
    const link = " ([example.org](https://example.org/a)) ";
    expect(text).toBe(`It rains${link}, a lot${link}. See【0†L4】【9†L1】.`);
    expect(annotations.map(({ start_index, end_index }) => text.slice(start_index, end_index))).toEqual([
      link,
      link,
    ]);
    expect(annotations[1]).toEqual({
      type: "url_citation",
      start_index: 8 + link.length + 7,
      end_index: 8 + 2 * link.length + 7,
      url: "https://example.org/a",
      title: "example.org",
    });
  });

  it("cannot end a link early by their address", async () => {
    const url = "https://example.org/a_(b) c";
    const tool = browser({ backend: { ...backend, open: async () => ({ url, text: "t" }) } });
    await ask(tool, "open", { id: url });
    const { text, annotations } = tool.annotate("x【0†L1】");
    expect(text).toBe("x ([example.org](https://example.org/a_%28b%29%20c)) ");
    expect(annotations[0]?.url).toBe(url);
  });

  it("are held back while they are being written", async () => {
    const tool = browser();
    await ask(tool, "open", { id: "https://example.org/a" });
    const whole = "Rain【0†L4-L5】 falls";
    for (let end = 5; end < whole.indexOf("】") + 1; end++) {
      expect(tool.annotate(whole.slice(0, end), { hidePartial: true }).text).toBe("Rain");
    }
    expect(tool.annotate("Rain【0†", {}).text).toBe("Rain【0†");
  });
});
