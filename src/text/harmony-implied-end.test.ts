import { describe, expect, it } from "vitest";
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

describe("a start token inside a message", () => {
  it.each<[string, HarmonyParserOptions, string, ParsedMessage[], ParsedMessage[]]>([
    [
      "a missing end",
      given,
      "<|channel|>analysis<|message|>a<|start|>assistant<|channel|>final<|message|>b<|return|>",
      [assistant({ channel: "analysis", content: "a" }), assistant({ channel: "final", content: "b" })],
      [
        assistant({
          channel: "analysis",
          content: "a<|start|>assistant<|channel|>final<|message|>b",
        }),
      ],
    ],
    [
      "a missing end before a call whose recipient comes first",
      given,
      "<|channel|>analysis<|message|>a<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>",
      [assistant({ channel: "analysis", content: "a" }), assistant(call)],
      [
        assistant({
          channel: "analysis",
          content: "a<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}",
        }),
      ],
    ],
    [
      "a missing end before another's message",
      given,
      "<|channel|>final<|message|>a<|start|>user<|message|>b<|end|>",
      [assistant({ channel: "final", content: "a" }), { role: "user", content: "b" }],
      [assistant({ channel: "final", content: "a<|start|>user<|message|>b" })],
    ],
  ])("mends %s, which openai/harmony takes for text", (_name, options, text, expected, strict) => {
    const ids = harmonyIds(text);
    const events = parse(ids, options);
    expect(messagesOf(events)).toEqual(expected);
    expect(recoveriesOf(events)).toEqual(["a message without its end token"]);
    const strictly = parse(ids, { ...options, strict: true });
    expect(messagesOf(strictly)).toEqual(strict);
    expect(recoveriesOf(strictly)).toEqual([]);
  });

  it.each([
    "<|start|> is a token.",
    "<|start|>",
    "<|start|>assistant",
    "<|start|>assistant is what comes next.",
    "<|start|><|start|>assistants<|channel|>",
    "<|start|>assistant to=f g<|channel|>",
    "<|start|><|channel|>final<|message|>",
    "<|start|>assistant<|constrain|>json",
    `<|start|>assistant to=${"f".repeat(300)}<|channel|>`,
  ])("leaves a start token in content that opens no header as text: %s", (text) => {
    const before = "<|channel|>analysis<|message|>In harmony ";
    for (const end of ["", "<|end|>"]) {
      const events = parse(harmonyIds(before + text + end), given);
      expect(messagesOf(events)).toEqual([assistant({ channel: "analysis", content: `In harmony ${text}` })]);
      expect(recoveriesOf(events)).toEqual([]);
    }
  });

  it("reports a missing end once, and the text before it as soon as it is known to be some", () => {
    const parser = createHarmonyParser(nano, given);
    const push = (text: string) => harmonyIds(text).flatMap((id) => parser.push(id));
    push("<|channel|>analysis<|message|>a");
    expect(push("<|start|>assistant")).toEqual([]);
    const events = push("<|channel|>final<|message|>b");
    expect(recoveriesOf(events)).toEqual(["a message without its end token"]);
    expect(events.map(({ type }) => type)).toEqual(["recovery", "message-end", "message-start", "text"]);
  });
});
