import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHarmonyParser, type HarmonyParserOptions } from "./harmony-parser.ts";
import { renderMessage } from "./harmony-render.ts";
import {
  assistant,
  harmonyIds,
  messagesOf,
  nano,
  type ParsedMessage,
  parse,
  recoveriesOf,
  reference,
} from "./nano.fixture.ts";
import type { HarmonyMessage, Role } from "./types.ts";

const given: HarmonyParserOptions = { role: "assistant" };
const call = {
  recipient: "functions.f",
  channel: "commentary",
  contentType: "<|constrain|>json",
  content: "{}",
};

describe("harmony parser on well-formed streams", () => {
  it.each<[string, HarmonyParserOptions, string, ParsedMessage[]]>([
    [
      "a final answer",
      given,
      "<|channel|>final<|message|>Hi<|return|>",
      [assistant({ channel: "final", content: "Hi" })],
    ],
    [
      "a message without channel",
      {},
      "<|start|>assistant<|message|>Hi<|end|>",
      [assistant({ content: "Hi" })],
    ],
    [
      "a recipient before the channel",
      given,
      " to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "a recipient after the channel",
      given,
      "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "constrain next to the recipient",
      {},
      "<|start|>assistant<|channel|>commentary to=functions.f<|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "constrain next to the channel",
      {},
      "<|start|>assistant to=functions.f<|channel|>commentary<|constrain|>json<|message|>{}<|end|>",
      [assistant(call)],
    ],
    [
      "a plain type",
      given,
      "<|channel|>analysis to=f code<|message|>1<|call|>",
      [assistant({ channel: "analysis", recipient: "f", contentType: "code", content: "1" })],
    ],
    [
      "structured output",
      given,
      "<|channel|>final <|constrain|>json<|message|>{}<|return|>",
      [assistant({ channel: "final", contentType: "<|constrain|>json", content: "{}" })],
    ],
    [
      "the role repeated",
      given,
      "assistant<|channel|>final<|message|>Hi",
      [assistant({ channel: "final", content: "Hi" })],
    ],
    [
      "a tool's message",
      {},
      "<|start|>browser.search to=assistant<|channel|>commentary<|message|>x<|end|>",
      [{ role: "tool", name: "browser.search", recipient: "assistant", channel: "commentary", content: "x" }],
    ],
    [
      "an unfinished message",
      given,
      "<|channel|>final<|message|>Hi",
      [assistant({ channel: "final", content: "Hi" })],
    ],
    [
      "other specials in content",
      given,
      "<|channel|>final<|message|>a<|start|>b<|channel|>c<|reserved_2555|>d<|end|>",
      [assistant({ channel: "final", content: "a<|start|>b<|channel|>c<|reserved_2555|>d" })],
    ],
    ["nothing", {}, "", []],
  ])("reads %s", (_name, options, text, expected) => {
    const events = parse(harmonyIds(text), { ...options, strict: true });
    expect(messagesOf(events)).toEqual(expected);
    expect(recoveriesOf(events)).toEqual([]);
  });

  it.each(reference.prompts.map((each, index) => [index, each] as const))(
    "splits reference stream %i",
    (_i, { greedy, greedy_text }) => {
      const messages = messagesOf(parse(greedy, { role: "assistant", strict: true }));
      const pieces = greedy_text
        .split("<|message|>")
        .slice(1)
        .map((piece) => piece.split(/<\|(?:end|return|call)\|>/)[0]);
      expect(messages.map((message) => message.content)).toEqual(pieces);
      expect(messages[0]?.channel).toBe("analysis");
      expect(
        messages.slice(1).every((message) => message.channel === "final" || message.recipient !== undefined),
      ).toBe(true);
    },
  );

  it("reads the call of the reference with functions", () => {
    const tools = reference.prompts.find((each) => each.greedy_text.includes("<|call|>"))?.greedy ?? [];
    expect(messagesOf(parse(tools)).at(-1)).toEqual({
      role: "assistant",
      channel: "commentary",
      recipient: "functions.get_current_weather",
      contentType: "<|constrain|>json",
      content: '{"location": "Paris"}',
    });
  });

  it("reports text as it comes and how each message ended", () => {
    const parser = createHarmonyParser(nano, given);
    const ids = harmonyIds("<|channel|>final<|message|>💖!<|return|>");
    const header = { role: "assistant", channel: "final" };
    const seen = ids.map((id) => parser.push(id));
    expect(seen.filter((events) => events.length > 0)).toEqual([
      [{ type: "message-start", header }],
      [{ type: "text", text: "💖", header }],
      [{ type: "text", text: "!", header }],
      [{ type: "message-end", header, content: "💖!", end: "return" }],
    ]);
    expect(nano.encode("💖").length).toBeGreaterThan(1);
    expect(parser.end()).toEqual([]);
  });

  it.each([["end"], ["return"], ["call"]])("says that a message ended in %s", (end) => {
    const events = parse(harmonyIds(`<|channel|>final<|message|>x<|${end}|>`));
    expect(events.at(-1)).toMatchObject({ type: "message-end", end });
  });

  it("reads back what is rendered", () => {
    const name = fc.constantFrom("functions.f", "browser.search", "python", "a-b_c.d9");
    const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(value, { nil: undefined });
    const message = fc.record({
      role: fc.constantFrom<Role>("user", "assistant", "developer", "system"),
      recipient: optional(name),
      channel: optional(fc.constantFrom("analysis", "commentary", "final", "other")),
      contentType: optional(fc.constantFrom("<|constrain|>json", "<|constrain|>xml")),
      content: fc.string({ unit: "grapheme" }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (drawn) => {
        const messages = drawn.map((each) => JSON.parse(JSON.stringify(each)) as HarmonyMessage);
        const ids = messages.flatMap((each) => renderMessage(nano, each));
        expect(messagesOf(parse(ids, { strict: true }))).toEqual(messages);
      }),
    );
  });
});
