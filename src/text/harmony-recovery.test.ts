import { describe, expect, it } from "vitest";
import { isEngineError } from "../errors.ts";
import { createHarmonyParser, type HarmonyParserOptions } from "./harmony-parser.ts";
import {
  assistant,
  harmonyIds,
  messagesOf,
  nano,
  type ParsedMessage,
  parse,
  recoveriesOf,
} from "./nano.fixture.ts";

const given: HarmonyParserOptions = { role: "assistant" };
const call = {
  recipient: "functions.f",
  channel: "commentary",
  contentType: "<|constrain|>json",
  content: "{}",
};

describe("harmony parser on malformed streams", () => {
  it.each<[string, HarmonyParserOptions, string, ParsedMessage[]]>([
    [
      "a refusal without header",
      given,
      "I'm sorry, but I can't do that.<|return|>",
      [assistant({ content: "I'm sorry, but I can't do that." })],
    ],
    [
      "a channel without message token",
      given,
      "<|channel|>analysis The user asks\n\nfor it.<|end|>",
      [assistant({ channel: "analysis", content: "The user asks\n\nfor it." })],
    ],
    [
      "a short text without message token",
      given,
      "<|channel|>commentary Hello<|end|>",
      [assistant({ channel: "commentary", content: "Hello" })],
    ],
    [
      "text, then a call of plain type",
      given,
      "Let me look.<|end|><|start|>assistant<|channel|>commentary to=functions.f json<|message|>{}<|call|>",
      [assistant({ content: "Let me look." }), assistant({ ...call, contentType: "json" })],
    ],
    [
      "a call without message token",
      given,
      '<|channel|>commentary to=functions.f <|constrain|>json{"a": 1}<|call|>',
      [assistant({ ...call, content: '{"a": 1}' })],
    ],
    [
      "a missing start before a channel",
      given,
      "<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b<|return|>",
      [assistant({ channel: "analysis", content: "a" }), assistant({ channel: "final", content: "b" })],
    ],
    [
      "a missing start before the role",
      given,
      "<|channel|>analysis<|message|>a<|end|>assistant<|channel|>final<|message|>b<|return|>",
      [assistant({ channel: "analysis", content: "a" }), assistant({ channel: "final", content: "b" })],
    ],
    [
      "a channel joined to the role",
      given,
      "<|channel|>analysis<|message|>a<|end|><|start|>assistantfinal<|message|>b<|end|>assistantfinal<|message|>c<|return|>",
      [
        assistant({ channel: "analysis", content: "a" }),
        assistant({ channel: "final", content: "b" }),
        assistant({ channel: "final", content: "c" }),
      ],
    ],
    [
      "the role as a channel before the channel",
      given,
      "<|channel|>assistant<|channel|>analysis<|message|>a<|end|>",
      [assistant({ channel: "analysis", content: "a" })],
    ],
    [
      "a tool's name after the given role",
      { role: "tool" },
      "functions.f to=assistant<|channel|>commentary<|message|>4<|end|>",
      [{ role: "tool", name: "functions.f", recipient: "assistant", channel: "commentary", content: "4" }],
    ],
    ["a missing start before a message token", {}, "<|message|>b<|return|>", [assistant({ content: "b" })]],
    [
      "plain text after the end",
      given,
      "<|channel|>analysis<|message|>a<|end|>The answer is 4, as you can see.<|return|>",
      [
        assistant({ channel: "analysis", content: "a" }),
        assistant({ content: "The answer is 4, as you can see." }),
      ],
    ],
    [
      "text that starts with a role's name after the end",
      {},
      "user input is wrong here, sorry<|return|>",
      [assistant({ content: "user input is wrong here, sorry" })],
    ],
    [
      "stray ends",
      given,
      "<|channel|>final<|message|>b<|end|><|return|><|call|><|end|><|endoftext|>",
      [assistant({ channel: "final", content: "b" })],
    ],
    [
      "a begin of text",
      {},
      "<|startoftext|><|start|>user<|message|>b<|end|>",
      [{ role: "user", content: "b" }],
    ],
    [
      "a repeated start",
      given,
      "<|start|>assistant<|channel|>final<|message|>b<|return|>",
      [assistant({ channel: "final", content: "b" })],
    ],
    [
      "a start inside a header",
      given,
      "<|channel|>analysis Hm, well<|start|>assistant<|channel|>final<|message|>b",
      [
        assistant({ channel: "analysis", content: "Hm, well" }),
        assistant({ channel: "final", content: "b" }),
      ],
    ],
    [
      "a doubled channel",
      given,
      "<|channel|>commentary to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "a doubled channel after the role",
      {},
      "<|start|>assistant<|channel|>commentary<|channel|>commentary<|message|>b<|end|>",
      [assistant({ channel: "commentary", content: "b" })],
    ],
    [
      "text before a channel",
      given,
      "Sure, here.<|channel|>final<|message|>b<|return|>",
      [assistant({ content: "Sure, here." }), assistant({ channel: "final", content: "b" })],
    ],
    [
      "long text before a channel",
      given,
      "I will now give the answer:<|channel|>final<|message|>b<|return|>",
      [assistant({ content: "I will now give the answer:" }), assistant({ channel: "final", content: "b" })],
    ],
    [
      "a late message token",
      given,
      "<|channel|>analysis We need to answer this<|message|>, then.<|end|>",
      [assistant({ channel: "analysis", content: "We need to answer this, then." })],
    ],
    [
      "a lone type word",
      given,
      "<|channel|>commentary json<|message|>{}<|end|>",
      [assistant({ channel: "commentary", contentType: "json", content: "{}" })],
    ],
    [
      "constrain as recipient",
      given,
      "<|channel|>commentary to=<|constrain|>json<|message|>{}<|call|>",
      [assistant({ channel: "commentary", contentType: "<|constrain|>json", content: "{}" })],
    ],
    [
      "space after constrain",
      given,
      "<|channel|>commentary to=functions.f <|constrain|> json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "space after to=",
      given,
      "<|channel|>commentary to= functions.f <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "a special in the recipient",
      given,
      "<|channel|>commentary to=functions.f<|reserved_2555|>x <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "a repeated recipient",
      given,
      " to=functions.f<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "dashes before the channel",
      given,
      "<|channel|>––commentary<|message|>b<|end|>",
      [assistant({ channel: "commentary", content: "b" })],
    ],
    [
      "space before the channel",
      given,
      "<|channel|> final<|message|>b<|end|>",
      [assistant({ channel: "final", content: "b" })],
    ],
    [
      "a channel without its token",
      given,
      "final<|message|>b<|return|>",
      [assistant({ channel: "final", content: "b" })],
    ],
    [
      "a call without start and channel token",
      given,
      "<|channel|>analysis<|message|>a<|end|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
      [assistant({ channel: "analysis", content: "a" }), assistant(call)],
    ],
    [
      "a channel in the author's place",
      {},
      "<|start|>analysis<|message|>a<|end|>",
      [assistant({ channel: "analysis", content: "a" })],
    ],
    ["no channel name", given, "<|channel|><|message|>b<|end|>", [assistant({ content: "b" })]],
    [
      "channel and recipient joined",
      given,
      "<|channel|>commentaryto=functions.f <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "role and recipient joined",
      {},
      "<|start|>assistantto=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>",
      [assistant(call)],
    ],
    [
      "a header without role",
      {},
      "<|start|><|channel|>final<|message|>b<|end|>",
      [assistant({ channel: "final", content: "b" })],
    ],
    [
      "a lone unknown author",
      {},
      "<|start|>functions.f<|message|>b<|end|>",
      [{ role: "tool", name: "functions.f", content: "b" }],
    ],
    [
      "an id without a token in a header",
      given,
      "<|channel|>final<|unknown|><|message|>a<|end|>",
      [assistant({ channel: "final\uFFFD", content: "a" })],
    ],
    [
      "an end in a header",
      {},
      "<|start|>assistant<|channel|>final<|end|>",
      [assistant({ channel: "final" })],
    ],
    ["the stream's end in a header", given, "<|channel|>analysis", [assistant({ channel: "analysis" })]],
    ["an empty stream", given, "", []],
  ])("mends %s", (_name, options, text, expected) => {
    const ids = harmonyIds(text);
    const events = parse(ids, options);
    expect(messagesOf(events)).toEqual(expected);
    expect(recoveriesOf(events).length).toBeGreaterThan(0);
    expect(() => parse(ids, { ...options, strict: true })).toThrow(
      /Cannot parse this harmony stream strictly/,
    );
  });

  it.each<[string, HarmonyParserOptions, string, ParsedMessage[], ParsedMessage[]]>([
    [
      "end of text inside a message",
      given,
      "<|channel|>final<|message|>b<|endoftext|>c<|end|>",
      [assistant({ channel: "final", content: "b" }), assistant({ content: "c" })],
      [assistant({ channel: "final", content: "b<|endoftext|>c" })],
    ],
    [
      "a lone name",
      given,
      "<|channel|>commentary functions.f<|message|>{}<|call|>",
      [assistant({ channel: "commentary", recipient: "functions.f", content: "{}" })],
      [assistant({ channel: "commentary", recipient: "functions.f", content: "{}" })],
    ],
    [
      "a lone name before the channel",
      {},
      "<|start|>assistant functions.f<|channel|>commentary<|message|>{}<|call|>",
      [assistant({ channel: "commentary", recipient: "functions.f", content: "{}" })],
      [assistant({ channel: "commentary", recipient: "functions.f", content: "{}" })],
    ],
    [
      "a name and a type without marks",
      given,
      "<|channel|>commentary functions.f json<|message|>{}<|call|>",
      [assistant({ ...call, contentType: "json" })],
      [assistant({ ...call, contentType: "json" })],
    ],
    [
      "a lone word on final",
      given,
      "<|channel|>final hello<|message|>b<|return|>",
      [assistant({ channel: "final", content: "b" })],
      [assistant({ channel: "final", recipient: "hello", content: "b" })],
    ],
    [
      "a tool's lone name after its role",
      { role: "tool" },
      "functions.f<|message|>4<|end|>",
      [{ role: "tool", name: "functions.f", content: "4" }],
      [{ role: "tool", recipient: "functions.f", content: "4" }],
    ],
  ])("mends %s, which openai/harmony takes", (_name, options, text, expected, strict) => {
    const ids = harmonyIds(text);
    const events = parse(ids, options);
    expect(messagesOf(events)).toEqual(expected);
    expect(recoveriesOf(events).length).toBeGreaterThan(0);
    const strictly = parse(ids, { ...options, strict: true });
    expect(messagesOf(strictly)).toEqual(strict);
    expect(recoveriesOf(strictly)).toEqual([]);
  });

  it.each<[string, HarmonyParserOptions, string, ParsedMessage[]]>([
    [
      "an author's name",
      {},
      "<|start|>user:bob<|message|>x<|end|>",
      [{ role: "user", name: "bob", content: "x" }],
    ],
    [
      "a type before the recipient",
      given,
      "<|channel|>commentary json to=functions.f<|message|>{}<|call|>",
      [assistant({ ...call, contentType: "json" })],
    ],
  ])("takes %s, which openai/harmony refuses", (_name, options, text, expected) => {
    expect(messagesOf(parse(harmonyIds(text), options))).toEqual(expected);
    expect(() => parse(harmonyIds(text), { ...options, strict: true })).toThrow(/strictly/);
  });

  it("takes an author's name for a tool's where openai/harmony does", () => {
    const ids = harmonyIds("<|start|>user:bob to=assistant<|message|>x<|end|>");
    const named = { recipient: "assistant", content: "x" };
    expect(messagesOf(parse(ids, {}))).toEqual([{ role: "user", name: "bob", ...named }]);
    expect(messagesOf(parse(ids, { strict: true }))).toEqual([{ role: "tool", name: "user:bob", ...named }]);
  });

  it("reads special tokens that were spelled as text in a header like the tokens", () => {
    const spelled = "<|channel|>commentary to=functions.f<|channel|>commentary <|constrain|>json";
    const ids = [...nano.encode(spelled), nano.special("<|message|>"), ...nano.encode("{}")];
    expect(messagesOf(parse(ids))).toEqual([assistant(call)]);
  });

  it("goes on after an id without a token", () => {
    const events = parse(harmonyIds("<|channel|>final<|message|>a<|unknown|>b<|end|>"));
    expect(messagesOf(events)).toEqual([assistant({ channel: "final", content: "a\uFFFDb" })]);
    expect(recoveriesOf(events)).toEqual([`token id ${nano.vocabSize + 7} does not exist`]);
  });

  it("keeps words that have no place in a header", () => {
    const events = parse(harmonyIds("<|channel|>final one two three<|message|>b<|return|>"));
    const texts = events.flatMap((event) => (event.type === "recovery" ? [event.text ?? ""] : []));
    expect(texts.join(" ").trim()).toBe("one two");
    expect(messagesOf(events)).toEqual([assistant({ channel: "final", contentType: "three", content: "b" })]);
  });

  it("streams text that came without a header before it ends", () => {
    const parser = createHarmonyParser(nano, given);
    const events = harmonyIds("The answer to this question is four").flatMap((id) => parser.push(id));
    expect(events.map((event) => event.type)).toContain("text");
  });

  it("does not leak bytes of one message into the next", () => {
    const cut = nano.encode("💖")[0] ?? -1;
    const ids = [
      ...harmonyIds("<|channel|>analysis<|message|>a"),
      cut,
      ...harmonyIds("<|end|><|start|>assistant<|message|>Hi<|end|>"),
    ];
    expect(messagesOf(parse(ids)).map((message) => message.content)).toEqual(["a\uFFFD", "Hi"]);
  });

  it("throws a typed error in strict mode and says what was wrong", () => {
    try {
      parse(harmonyIds("<|channel|>commentary json<|message|>"), { ...given, strict: true });
      expect.unreachable();
    } catch (error) {
      expect(isEngineError(error, "request-invalid")).toBe(true);
      expect((error as Error).message).toContain("a content type without its marker");
    }
  });
});
