import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ParseCase, parseCases, type RenderCase, renderCases } from "./conformance.fixture.ts";
import { dropAnalysis } from "./drop-analysis.ts";
import { messageJson, readConversation } from "./harmony-json.ts";
import { createHarmonyParser, type HarmonyParserOptions } from "./harmony-parser.ts";
import {
  renderConversation,
  renderForCompletion,
  renderForTraining,
  renderMessage,
} from "./harmony-render.ts";
import { createRealTokenizer } from "./real.fixture.ts";
import type { HarmonyEvent } from "./types.ts";

const tokenizer = createRealTokenizer();

const hashOf = (ids: readonly number[]): string =>
  createHash("sha256").update(ids.join(",")).digest("hex").slice(0, 16);

function render({ messages, completion = true, keepAnalysis = false }: RenderCase): number[] {
  const conversation = readConversation({ messages });
  const kept = keepAnalysis ? conversation : dropAnalysis(conversation);
  return completion ? renderForCompletion(tokenizer, kept) : renderConversation(tokenizer, kept);
}

/** Ids of a text with special tokens spelled out. */
function idsOf(text: string): number[] {
  return text.split(/(<\|\w+\|>)/).flatMap((part) => {
    const special = tokenizer.specialTokens.get(part);
    return special === undefined ? tokenizer.encode(part) : [special];
  });
}

function events(ids: readonly number[], options: HarmonyParserOptions): HarmonyEvent[] {
  const parser = createHarmonyParser(tokenizer, options);
  return [...ids.flatMap((id) => parser.push(id)), ...parser.end()];
}

const messagesOf = (list: readonly HarmonyEvent[]) =>
  list.flatMap((event) => (event.type === "message-end" ? [messageJson(event.header, event.content)] : []));

describe("conformance to openai/harmony", () => {
  it("has all of its fixtures", () => expect(renderCases.length + parseCases.length).toBe(23));

  it.each(renderCases.map((each) => [each.name, each] as const))("renders %s", (_name, each) => {
    const ids = render(each);
    expect(ids.length).toBe(each.numTokens);
    expect(hashOf(ids)).toBe(each.hash);
  });

  it.each(parseCases.map((each) => [each.name, each] as const))("parses %s", (_name, each: ParseCase) => {
    const ids = idsOf(each.text);
    expect(ids.length).toBe(each.numTokens);
    expect(hashOf(ids)).toBe(each.hash);
    const role = each.role === undefined ? {} : { role: each.role };
    expect(messagesOf(events(ids, { ...role, strict: true }))).toEqual(each.messages);
    expect(messagesOf(events(ids, role))).toEqual(each.messages);
  });
});

describe("openai/harmony's further tests", () => {
  const tokyo = '{"location": "Tokyo"}';
  const call = {
    role: "assistant",
    recipient: "functions.get_weather",
    content: tokyo,
    channel: "commentary",
    content_type: "<|constrain|>json",
  };
  const parse = (text: string, options: HarmonyParserOptions = {}) =>
    messagesOf(events(idsOf(text), options));
  const hello = "<|start|>assistant<|message|>";

  it("writes the constrain marker as a special token and reads it back", () => {
    const text = `<|start|>assistant to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>${tokyo}<|call|>`;
    expect(parse(text, { strict: true })).toEqual([call]);
    const ids = renderConversation(tokenizer, readConversation([call]));
    expect(ids).toEqual(idsOf(text));
    expect(ids.join()).toContain([220, 200003, 4108].join());
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it.each([
    `<|start|>assistant to=functions.get_weather<|channel|>commentary<|constrain|>json<|message|>${tokyo}<|call|>`,
    `<|start|>assistant<|channel|>commentary to=functions.get_weather<|constrain|>json<|message|>${tokyo}<|call|>`,
    `<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>${tokyo}<|call|>`,
  ])("reads the marker and the recipient in %s", (text) => {
    expect(parse(text, { strict: true })).toEqual([call]);
  });

  const afterwards =
    "<|start|>assistant<|channel|>analysis<|message|>We must refuse<|end|><|start|>assistant<|channel|>final<|message|>I'm sorry, but I can't help with that.<|return|>";
  const refused = [
    { role: "assistant", content: "We must refuse", channel: "analysis" },
    { role: "assistant", content: "I'm sorry, but I can't help with that.", channel: "final" },
  ];
  it.each<[string, object[]]>([
    [`I must refuse<|end|>${afterwards}`, [{ role: "assistant", content: "I must refuse" }, ...refused]],
    [
      `<|channel|>analysis I must refuse<|end|>${afterwards}`,
      [{ role: "assistant", content: "I must refuse", channel: "analysis" }, ...refused],
    ],
    [
      `... Let's use the tool.<|end|><|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>${tokyo}<|call|>`,
      [
        { role: "assistant", content: "... Let's use the tool." },
        { ...call, content_type: "json" },
      ],
    ],
    ["<|channel|>commentary Hello<|end|>", [{ role: "assistant", content: "Hello", channel: "commentary" }]],
  ])("mends the missing message token of %s, strictly not", (text, expected) => {
    expect(parse(text, { role: "assistant" })).toEqual(expected);
    expect(() => parse(text, { role: "assistant", strict: true })).toThrow(/without its message token/);
  });

  // 9552 is a space and the first half of a character: 20 F0 9F.
  it.each<[string, number[], string]>([
    ["two broken tokens", [9552, 9552, ...idsOf("worked<|end|>")], " \uFFFD \uFFFDworked"],
    ["one before letters", [9552, ...idsOf("XY<|end|>")], " \uFFFDXY"],
    ["one before a longer token", [9552, ...idsOf(" interesting<|end|>")], " \uFFFD interesting"],
    ["one without terminator", [9552, ...idsOf(" interesting story")], " \uFFFD interesting story"],
    ["one at the end", [...idsOf("a"), 9552], "a \uFFFD"],
  ])("replaces invalid UTF-8: %s", (_name, ids, content) => {
    const list = events([...idsOf(hello), ...ids], {});
    expect(messagesOf(list)).toEqual([{ role: "assistant", content }]);
    expect(list.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("")).toBe(content);
  });

  it("keeps the bytes of one message out of the next", () => {
    const ids = [...idsOf(hello), 9552, ...idsOf(`<|end|>${hello}next<|end|>`)];
    expect(messagesOf(events(ids, {})).map((message) => message.content)).toEqual([" \uFFFD", "next"]);
  });

  it("replaces an id without a token, strictly too", () => {
    const ids = [...idsOf("<|start|>assistant<|channel|>analysis<|message|>Invalid."), 2 ** 32 - 1];
    const message = { role: "assistant", content: "Invalid.\uFFFD", channel: "analysis" };
    for (const strict of [false, true]) {
      const list = events(ids, { strict });
      expect(messagesOf(list)).toEqual([message]);
      expect(list).toContainEqual({ type: "recovery", what: "token id 4294967295 does not exist" });
    }
  });

  it("waits for a character that comes in two tokens", () => {
    const parser = createHarmonyParser(tokenizer);
    for (const id of idsOf(hello)) parser.push(id);
    expect(parser.push(31446)).toEqual([]);
    expect(parser.push(244)).toEqual([{ type: "text", text: "💖", header: { role: "assistant" } }]);
  });

  it("streams many scripts whole", () => {
    const text =
      "Grüße, Καλημέρα, Привет, שלום, مرحبا, नमस्ते, こんにちは, 안녕하세요, 你好; naïve and nai\u0308ve; 😊👋🏾👨‍👩‍👧‍👦🇳🇴.";
    const list = events(idsOf(`${hello}${text}<|end|>`), { strict: true });
    expect(list.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("")).toBe(text);
  });

  it("ends training text in return where the last message is final, and nothing else", () => {
    const user = { role: "user", content: "hi" } as const;
    const answer = { role: "assistant", channel: "final", content: "hello" } as const;
    const regular = renderConversation(tokenizer, [user, answer]);
    expect(renderForTraining(tokenizer, [user, answer])).toEqual([...regular.slice(0, -1), 200002]);
    expect(regular.at(-1)).toBe(200007);
    expect(renderForTraining(tokenizer, [user])).toEqual(renderConversation(tokenizer, [user]));
    expect(renderMessage(tokenizer, user)).toEqual(renderConversation(tokenizer, [user]));
  });

  it.each<[string, number[]]>([
    ["<|start|>", [27, 91, 5236, 91, 29]],
    ["hello world", [24912, 2375]],
    ["assistant", [173781]],
    ["commentary", [12606, 815]],
    [" to", [316]],
    ["functions", [44580]],
    [".search", [16718]],
    ["💖", [31446, 244]],
  ])("encodes %s as text", (text, ids) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it("knows the special tokens' ids", () => {
    const names = ["return", "constrain", "channel", "start", "end", "message", "call", "endoftext"];
    expect(names.map((name) => tokenizer.special(`<|${name}|>`))).toEqual([
      200002, 200003, 200005, 200006, 200007, 200008, 200012, 199999,
    ]);
    expect(tokenizer.decode([200014])).toBe("<|reserved_200014|>");
    // openai/harmony also names id 201088, which has no row in the model's embedding table.
    expect(tokenizer.decode([201088])).toBe("\uFFFD");
  });
});
