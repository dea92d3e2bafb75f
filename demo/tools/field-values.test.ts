import { describe, expect, test } from "vitest";
import { readBudget, readResponseFormat, reasoningOptions } from "./answer-settings.ts";
import { isReadableFile, namedDocument, openSource } from "./browser-sources.ts";
import { parseFunctionDefinitions } from "./function-definitions.ts";
import { parseJson } from "./parse-json.ts";
import { summarizeSettings } from "./settings-summary.ts";

describe("pasted JSON", () => {
  test("a mistake is named by line and column", () => {
    expect(parseJson('{\n  "a": 1,\n  b: 2\n}')).toEqual({
      ok: false,
      problem: "This is not valid JSON: look at line 3, column 3 (b is not expected there, or not complete).",
    });
  });

  test("text that ends too early says so, an open quote where it begins", () => {
    const told = (text: string) => {
      const result = parseJson(text);
      return result.ok ? "" : result.problem;
    };
    expect(told('{"a": [1, 2')).toContain("ends too early");
    expect(told('{"a": "b')).toContain('column 7 (" is not expected there, or not complete)');
  });
});

describe("function definitions", () => {
  const add = { name: "add", description: "Adds.", parameters: { type: "object" } };

  test.each([
    ["one", add],
    ["a list", [add]],
    ["the form of the Chat Completions API", [{ type: "function", function: add }]],
    ["the form of the Responses API", { tools: [{ type: "function", ...add }] }],
  ])("are read as %s", (_, value) => {
    expect(parseFunctionDefinitions(JSON.stringify(value))).toEqual({ ok: true, value: [add] });
  });

  test("need neither description nor parameters", () => {
    const result = parseFunctionDefinitions('{"name":"now"}');
    expect(result).toEqual({ ok: true, value: [{ name: "now", description: "" }] });
  });

  test.each([
    ["", "Paste at least one function"],
    ["[]", "The list is empty"],
    ["[4]", "The function is no JSON object"],
    ['[{"name":"a"},{"description":"b"}]', "Function 2 has no “name”"],
    ['{"name":"a.b"}', "has the name “a.b”"],
    ['{"name":"python"}', "belongs to the built-in tool"],
    ['{"name":"a","description":1}', "“description” that is no text"],
    ['{"name":"a","parameters":[]}', "no JSON schema"],
    ['{"name":"a","parameters":{"type":"string"}}', 'not "object"'],
    ['[{"name":"a"},{"name":"a"}]', "Two functions are named “a”"],
  ])("that cannot be used say why: %s", (text, expected) => {
    const result = parseFunctionDefinitions(text);
    expect(result.ok ? "" : result.problem).toContain(expected);
  });
});

describe("a response format", () => {
  const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };

  test("needs no schema unless it is json_schema", () => {
    expect(readResponseFormat("text", "not read")).toEqual({ ok: true, value: { type: "text" } });
    expect(readResponseFormat("json_object", "not read")).toEqual({
      ok: true,
      value: { type: "json_object" },
    });
  });

  test.each([
    ["a bare schema", schema, "answer"],
    ["a schema with a title", { ...schema, title: "A person!" }, "A_person_"],
    ["the form of the Chat Completions API", { json_schema: { name: "x", schema } }, "x"],
    ["the form of the Responses API", { type: "json_schema", name: "y", schema }, "y"],
  ])("takes %s", (_, value, name) => {
    const result = readResponseFormat("json_schema", JSON.stringify(value));
    const expected = "title" in value ? value : schema;
    expect(result).toEqual({ ok: true, value: { type: "json_schema", name, schema: expected } });
  });

  test("a property named schema is a property", () => {
    const value = { type: "object", properties: { schema: { type: "string" } } };
    const result = readResponseFormat("json_schema", JSON.stringify(value));
    expect(result.ok && result.value.type === "json_schema" && result.value.schema).toEqual(value);
  });

  test.each([
    ["", "Paste the JSON schema"],
    ["[]", "no object"],
    ['{"type":"object","properties":{"a":{"not":{}}}}', "/properties/a"],
  ])("that cannot be used says why: %s", (text, expected) => {
    const result = readResponseFormat("json_schema", text);
    expect(result.ok ? "" : result.problem).toContain(expected);
  });
});

describe("a reasoning budget", () => {
  test.each([
    ["", undefined],
    [" 0 ", 0],
    ["120", 120],
  ])("%j is %s", (text, value) => {
    expect(readBudget(text)).toEqual({ ok: true, value });
  });

  test.each(["-1", "1.5", "1e3", "many", "99999999999999999999"])("%j is none", (text) => {
    expect(readBudget(text).ok).toBe(false);
  });

  test("is left out of the request where nothing was chosen", () => {
    expect(reasoningOptions(undefined, false)).toBeUndefined();
    expect(reasoningOptions(0, false)).toEqual({ maxTokens: 0 });
    expect(reasoningOptions(undefined, true)).toEqual({ exclude: true });
  });
});

describe("what the browser reads", () => {
  test("text, Markdown and HTML files", () => {
    expect(["a.TXT", "b.md", "c.html", "d.htm", "e.markdown"].every(isReadableFile)).toBe(true);
    expect(["a.pdf", "txt", "b.txt.exe"].some(isReadableFile)).toBe(false);
  });

  test("documents have names of their own", () => {
    const first = namedDocument("a/b [1].txt", "x", []);
    expect(first).toEqual({ url: "document://a-b%201.txt", title: "a-b 1.txt", text: "x" });
    expect(namedDocument("a/b [1].txt", "y", [first]).title).toBe("a-b 1.txt 2");
    expect(namedDocument("page.html", "<p>", [])).toHaveProperty("html", "<p>");
  });

  test.each([
    [{ kind: "documents", documents: [] }, "Add at least one document"],
    [{ kind: "proxy", pageUrl: "proxy.example", searchUrl: "" }, "proxy's address"],
    [{ kind: "proxy", pageUrl: "https://p.example/", searchUrl: "" }, "The page address needs {url}"],
    [{ kind: "proxy", pageUrl: "https://p.example/{url}", searchUrl: "search" }, "search address"],
    [
      { kind: "proxy", pageUrl: "https://p.example/{url}", searchUrl: "https://s.example" },
      "The search address needs {query}",
    ],
  ] as const)("%j is refused", (source, expected) => {
    const result = openSource(source);
    expect(result.ok ? "" : result.problem).toContain(expected);
  });

  test("a proxy without a search", () => {
    expect(openSource({ kind: "proxy", pageUrl: " https://p.example/{url} ", searchUrl: " " }).ok).toBe(true);
  });
});

test("the summary names what departs from a plain chat", () => {
  const off = { browser: false, python: false, functions: false, format: "text", budget: " " };
  expect(summarizeSettings({ ...off, hidesReasoning: false })).toBe("");
  expect(
    summarizeSettings({ ...off, python: true, format: "json_schema", budget: "9", hidesReasoning: true }),
  ).toBe("python · JSON schema · ≤ 9 reasoning tokens · reasoning hidden");
});
