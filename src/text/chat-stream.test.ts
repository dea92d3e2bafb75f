import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChatDelta, createChatStream } from "./chat-stream.ts";
import { createHarmonyParser } from "./harmony-parser.ts";
import { harmonyIds, nano, reference } from "./nano.fixture.ts";

/** Deltas of a stream, neighbours of one kind joined. */
function chat(ids: readonly number[]): ChatDelta[] {
  const parser = createHarmonyParser(nano, { role: "assistant" });
  const stream = createChatStream();
  const events = [...ids.flatMap((id) => parser.push(id)), ...parser.end()];
  return events.flatMap((event) => stream.push(event)).reduce<ChatDelta[]>(join, []);
}

function join(joined: ChatDelta[], delta: ChatDelta): ChatDelta[] {
  const last = joined.at(-1);
  const isText = delta.type === "reasoning" || delta.type === "content";
  if (!isText || last?.type !== delta.type) return [...joined, delta];
  return [...joined.slice(0, -1), { type: delta.type, text: last.text + delta.text }];
}

const stray = (kind: string, text = ""): ChatDelta => ({ type: "recovery", kind, text });

describe("chat stream", () => {
  it.each<[string, string, ChatDelta[]]>([
    [
      "analysis and final",
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
      [
        { type: "reasoning", text: "Hm." },
        { type: "content", text: "4" },
      ],
    ],
    [
      "a preamble and final",
      "<|channel|>commentary<|message|>Wait.<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
      [{ type: "content", text: "Wait.\n\n4" }],
    ],
    [
      "two thoughts around a preamble",
      "<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>commentary<|message|>B<|end|><|start|>assistant<|channel|>analysis<|message|>C<|end|>",
      [
        { type: "reasoning", text: "A" },
        { type: "content", text: "B" },
        { type: "reasoning", text: "\n\nC" },
      ],
    ],
    [
      "an empty message between",
      "<|channel|>final<|message|><|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
      [{ type: "content", text: "4" }],
    ],
    [
      "a function call",
      '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a":1}<|call|>',
      [{ type: "tool-call", name: "f", arguments: '{"a":1}' }],
    ],
    [
      "a built-in tool's call",
      "<|channel|>analysis to=browser.search code<|message|>{}<|call|>",
      [{ type: "tool-call", name: "browser.search", arguments: "{}" }],
    ],
    ["a message to all", "<|channel|>final to=all<|message|>4<|return|>", [{ type: "content", text: "4" }]],
    [
      "a message to the user",
      "<|channel|>final to=user<|message|>4<|return|>",
      [{ type: "content", text: "4" }],
    ],
    [
      "a thought to itself",
      "<|channel|>analysis to=assistant<|message|>4<|end|>",
      [{ type: "reasoning", text: "4" }],
    ],
    [
      "no channel",
      "I cannot help with that, sorry.<|return|>",
      [
        stray("a message without its message token"),
        { type: "content", text: "I cannot help with that, sorry." },
      ],
    ],
    [
      "another's words",
      "<|channel|>final<|message|>4<|end|><|start|>user<|message|>More!<|end|>",
      [
        { type: "content", text: "4" },
        stray("a message in another's name", "user"),
        { type: "reasoning", text: "More!" },
      ],
    ],
    [
      "an unfinished call",
      '<|channel|>commentary to=functions.f<|message|>{"a":',
      [{ type: "tool-call", name: "f", arguments: '{"a":' }],
    ],
  ])("shows %s", (_name, text, expected) => {
    expect(chat(harmonyIds(text))).toEqual(expected);
  });

  it("splits the reference answers into reasoning and content", () => {
    const [first] = reference.prompts;
    expect(chat(first?.greedy ?? [])).toEqual([
      {
        type: "reasoning",
        text: "The user says hello. I should greet back and offer help. One or two sentences are enough.",
      },
      { type: "content", text: "Hello! How can I help you?" },
    ]);
  });

  it("sends each piece of text at once", () => {
    const stream = createChatStream();
    const header = { role: "assistant", channel: "final" } as const;
    expect(stream.push({ type: "message-start", header })).toEqual([]);
    expect(stream.push({ type: "text", text: "a", header })).toEqual([{ type: "content", text: "a" }]);
    expect(stream.push({ type: "text", text: "b", header })).toEqual([{ type: "content", text: "b" }]);
  });

  it.each<[string, string, ChatDelta[]]>([
    [
      "words without a place",
      "<|channel|>final one two three<|message|>b<|return|>",
      [
        stray("a content type without its marker or a recipient"),
        stray("unexpected words in the header", "one two"),
        stray("an unknown content type", "three"),
        { type: "content", text: "b" },
      ],
    ],
    [
      "a missing message token",
      "<|channel|>analysis Hm, well<|end|>",
      [stray("a message without its message token"), { type: "reasoning", text: "Hm, well" }],
    ],
    [
      "a missing end",
      "<|channel|>analysis<|message|>a<|start|>assistant<|channel|>final<|message|>b<|return|>",
      [
        { type: "reasoning", text: "a" },
        stray("a message without its end token"),
        { type: "content", text: "b" },
      ],
    ],
    [
      "a channel it does not know",
      "<|channel|>comment<|message|>b<|return|>",
      [stray("an unknown channel", "comment"), { type: "content", text: "b" }],
    ],
    [
      "another's name",
      "<|channel|>final<|message|>4<|end|><|start|>functions.f to=assistant<|channel|>commentary<|message|>5<|end|>",
      [
        { type: "content", text: "4" },
        stray("a message in another's name", "tool:functions.f to=assistant"),
        { type: "reasoning", text: "5" },
      ],
    ],
  ])("reports %s", (_name, text, expected) => {
    expect(chat(harmonyIds(text))).toEqual(expected);
  });

  it("loses no word, wherever it was written", () => {
    const words = ["alpha", "beta", "gamma", "delta"].map((word) => ` ${word}`);
    const marks = ["<|start|>", "<|start|>assistant", "<|start|>user", "<|channel|>", "<|channel|>final"];
    const pieces = [...marks, "<|channel|>analysis", "<|message|>", "<|constrain|>", "<|end|>", " to="];
    const stream = fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 16 });
    fc.assert(
      fc.property(stream, (drawn) => {
        // Numbered, so that each word's own occurrence has to come back.
        const texts = drawn.map((piece, index) => (words.includes(piece) ? `${piece}n${index}` : piece));
        const out = JSON.stringify(chat(texts.flatMap(harmonyIds)));
        for (const text of texts) if (/n\d+$/.test(text)) expect(out).toContain(text.trim());
      }),
      { numRuns: 1000 },
    );
  });
});
