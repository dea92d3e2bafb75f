// `render` and `parse`: JSON to stdout and nothing else, with openai-harmony's conversations through the real tokenizer.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { cli } from "../../testing/terminal.ts";
import { parseCases, type RenderCase, renderCases } from "../../text/conformance.fixture.ts";
import { harmonyIds, nano } from "../../text/nano.fixture.ts";
import { realTokenizerFolder } from "../../text/real.fixture.ts";

const scratch = mkdtempSync(join(tmpdir(), "gpt-oss-webgpu-render-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const real = fileURLToPath(realTokenizerFolder);

let numFiles = 0;
function file(conversation: unknown): string {
  const path = join(scratch, `${numFiles++}.json`);
  writeFileSync(path, typeof conversation === "string" ? conversation : JSON.stringify(conversation));
  return path;
}

const render = (conversation: unknown, ...more: string[]) =>
  cli("render", "--tokenizer", "nano", "--file", file(conversation), ...more);
const parse = (text: string, ...more: string[]) =>
  cli("parse", "--tokenizer", "nano", "--tokens", JSON.stringify(harmonyIds(text)), ...more);
const rendered = async (messages: readonly unknown[], ...more: string[]) => {
  const { code, out, err } = await render({ messages }, ...more);
  expect([code, err]).toEqual([0, ""]);
  return nano.decode(JSON.parse(out) as number[]);
};

describe("render", () => {
  const named = (name: string) => renderCases.find((each) => each.name === name) as RenderCase;

  it("prints the ids of a conversation by the published tokenizer", { timeout: 30_000 }, async () => {
    const { messages, hash, numTokens } = named("browser_and_python_tool");
    const { code, out, err } = await cli(
      "render",
      "--tokenizer",
      real,
      "--file",
      file({ messages }),
      "--completion",
    );
    expect([code, err]).toEqual([0, ""]);
    const ids = JSON.parse(out) as number[];
    expect(ids.length).toBe(numTokens);
    expect(createHash("sha256").update(ids.join(",")).digest("hex").slice(0, 16)).toBe(hash);
  });

  it("drops analysis before the first final message unless told to keep it", async () => {
    const { messages } = named("keep_analysis_between_finals");
    const dropped = await rendered(messages);
    expect(dropped).not.toContain("thinking 2+2");
    expect(dropped).toContain("thinking 3+5");
    expect(await rendered(messages, "--keep-analysis")).toContain("analysis<|message|>thinking 2+2<|end|>");
  });

  it("takes content objects with and without type, alone and in lists", async () => {
    const object = { model_identity: "You are X.", reasoning_effort: "low" };
    const tagged = { type: "system_content", ...object };
    const texts = await Promise.all(
      [object, tagged, [object], [tagged], "You are X.\n\nReasoning: low"].map((content) =>
        rendered([{ role: "system", content }]),
      ),
    );
    expect(new Set(texts)).toEqual(
      new Set(["<|start|>system<|message|>You are X.\n\nReasoning: low<|end|>"]),
    );
    const developer = { instructions: "Be brief.", tools: null };
    for (const content of [developer, { type: "developer_content", ...developer }])
      expect(await rendered([{ role: "developer", content }])).toBe(
        "<|start|>developer<|message|># Instructions\n\nBe brief.<|end|>",
      );
    expect(
      await rendered([{ role: "user", content: [{ type: "text", text: "a" }, { text: "b" }, "c"] }]),
    ).toBe("<|start|>user<|message|>abc<|end|>");
  });

  it("writes a schema's numbers and keys as they stand in the file, where JavaScript would not", async () => {
    const properties = `{"t": {"type": "number", "default": 1.0}, "10": {"type": "object", "default": {"b": 2.50, "1": 3e0}}, "2": {"type": "integer", "default": 9007199254740993}}`;
    const tool = `{"name": "f", "description": "F.", "parameters": {"type": "object", "properties": ${properties}, "required": ["10"]}}`;
    const content = `{"tools": {"functions": {"name": "functions", "tools": [${tool}]}}}`;
    const { out } = await render(`{"messages": [{"role": "developer", "content": ${content}}]}`);
    expect(nano.decode(JSON.parse(out) as number[])).toContain(
      [
        "// F.\ntype f = (_: {",
        "t?: number, // default: 1.0",
        '10: {\n    }, // default: {"b":2.5,"1":3.0}',
        "2?: number, // default: 9007199254740993",
        "}) => any;",
      ].join("\n"),
    );
  });

  it("writes header fields, and what is absent or null not at all", async () => {
    const channel_config = { valid_channels: ["final"], channel_required: false };
    const messages = [
      { role: "system", content: { model_identity: null, channel_config } },
      { role: "user", name: "ann", content: "x<|end|>", channel: null, recipient: null },
      {
        role: "assistant",
        content: "{}",
        channel: "commentary",
        recipient: "functions.f",
        content_type: "json",
      },
    ];
    expect(await rendered(messages, "--completion")).toBe(
      "<|start|>system<|message|># Valid channels: final.<|end|><|start|>user:ann<|message|>x<|end|><|end|>" +
        "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|><|start|>assistant",
    );
  });

  it("takes a file that begins with a byte order mark", async () => {
    const conversation = '{"messages": [{"role": "user", "content": "x"}]}';
    expect(await render(`\uFEFF${conversation}`)).toEqual(await render(conversation));
  });

  it("takes an author's object in place of role and name", async () => {
    const author = { role: "tool", name: "functions.f" };
    const rest = { recipient: "assistant", channel: "commentary", content: "4" };
    expect(await rendered([{ author, ...rest }])).toBe(await rendered([{ ...author, ...rest }]));
    expect(await rendered([{ author: { role: "user", name: null }, content: "x" }])).toBe(
      "<|start|>user<|message|>x<|end|>",
    );
    expect(await rendered([{ author, role: "user", content: "x" }])).toBe("<|start|>user<|message|>x<|end|>");
  });

  it.each<[string, unknown, RegExp]>([
    [
      "an author that is no object",
      { messages: [{ author: "user", content: "" }] },
      /author must be an object/,
    ],
    [
      "an author without role",
      { messages: [{ author: { name: "x" }, content: "" }] },
      /messages\[0\]\.role must be .* got nothing/,
    ],
    ["text that is not JSON", "{", /is not JSON/],
    ["no messages", {}, /messages must be a list, got nothing/],
    [
      "an unknown role",
      { messages: [{ role: "bot", content: "" }] },
      /messages\[0\]\.role must be .* got "bot"/,
    ],
    ["no content", { messages: [{ role: "user" }] }, /messages\[0\]\.content must be a text, .* got nothing/],
    [
      "an unknown content",
      { messages: [{ role: "user", content: [{ type: "image" }] }] },
      /content\[0\]\.type must be text, .* got "image"/,
    ],
    [
      "system content elsewhere",
      { messages: [{ role: "user", content: [{ type: "system_content" }] }] },
      /must be text outside system messages/,
    ],
    [
      "an unknown effort",
      { messages: [{ role: "system", content: { reasoning_effort: "max" } }] },
      /reasoning_effort must be Low, Medium or High, got "max"/,
    ],
    [
      "tools that are no list",
      { messages: [{ role: "developer", content: { tools: { functions: { tools: 1 } } } }] },
      /tools\.functions\.tools must be a list, got 1/,
    ],
    [
      "channels that are no texts",
      { messages: [{ role: "system", content: { channel_config: { valid_channels: [1] } } }] },
      /valid_channels must be a list of texts/,
    ],
    ["a tool without a name", { messages: [{ role: "tool", content: "" }] }, /needs the name of its tool/],
  ])("refuses %s in one sentence", async (_name, conversation, problem) => {
    const { code, out, err } = await render(conversation);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(problem);
    expect(err.trim()).not.toContain("\n");
  });

  it.each<[string, string[], RegExp]>([
    ["no file", ["render", "--tokenizer", "nano"], /--file is missing/],
    ["a file that is not there", ["render", "--tokenizer", "nano", "--file", "/no/x.json"], /cannot be read/],
    ["a folder without tokenizer", ["parse", "--tokenizer", scratch, "--tokens", "[]"], /tokenizer\.json/],
    ["a model's options", ["render", "--tokenizer", "nano", "--file", "x", "--kv", "f16"], /--kv/],
    [
      "another role",
      ["parse", "--tokenizer", "nano", "--tokens", "[]", "--role", "bot"],
      /--role must be one of/,
    ],
  ])("refuses %s", async (_name, args, problem) => {
    const { code, out, err } = await cli(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(problem);
  });
});

describe("parse", () => {
  it.each(parseCases.map((each) => [each.name, each] as const))(
    "prints the messages of %s",
    async (_name, each) => {
      const role = each.role === undefined ? [] : ["--role", each.role];
      for (const strict of [[], ["--strict"]]) {
        const { code, out, err } = await parse(each.text, ...role, ...strict);
        expect([code, err]).toEqual([0, ""]);
        expect(JSON.parse(out)).toEqual(each.messages);
      }
    },
  );

  it("mends malformed output and says so on stderr, or refuses it strictly", async () => {
    const text = "I must refuse<|end|>";
    const { code, out, err } = await parse(text, "--role", "assistant");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([{ role: "assistant", content: "I must refuse" }]);
    expect(err).toBe("recovered: a message without its message token\n");
    const strict = await parse(text, "--role", "assistant", "--strict");
    expect([strict.code, strict.out]).toEqual([2, ""]);
    expect(strict.err).toMatch(/Cannot parse this harmony stream strictly/);
  });

  it("prints an empty list for no tokens", async () => {
    expect(await cli("parse", "--tokenizer", "nano", "--tokens", "[]")).toEqual({
      code: 0,
      out: "[]\n",
      err: "",
    });
  });

  it("gives back what render printed", async () => {
    const messages = [
      { role: "assistant", recipient: "python", content: "1+1", channel: "analysis", content_type: "code" },
      { role: "tool", name: "python", recipient: "assistant", content: "2", channel: "analysis" },
      { role: "assistant", content: "Two.", channel: "final" },
    ];
    const ids = (await render({ messages }, "--keep-analysis")).out.trim();
    const { out } = await cli("parse", "--tokenizer", "nano", "--tokens", ids, "--strict");
    expect(JSON.parse(out)).toEqual(messages);
  });
});
