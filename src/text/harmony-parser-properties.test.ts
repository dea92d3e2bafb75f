import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHarmonyParser, type HarmonyParserOptions } from "./harmony-parser.ts";
import { harmonyIds, messagesOf, nano, parse } from "./nano.fixture.ts";
import type { HarmonyEvent } from "./types.ts";

const given: HarmonyParserOptions = { role: "assistant" };

describe("harmony parser on any stream", () => {
  const words = ["alpha1", "beta2", "gamma3", "delta4", "epsilon5", "zeta6", "eta7", "theta8"];
  const pieces = [
    ...[
      "<|start|>",
      "<|channel|>",
      "<|message|>",
      "<|constrain|>",
      "<|end|>",
      "<|return|>",
      "<|call|>",
      "<|endoftext|>",
    ],
    ...["<|start|>assistant", "<|channel|>final", "<|channel|>analysis", "<|unknown|>", "<|reserved_2555|>"],
    ...[
      "assistant",
      "user",
      "tool",
      " to=",
      " to=functions.f",
      " json",
      "<|constrain|>json",
      " ",
      "\n",
      "final",
      "{",
      ": ",
    ],
  ];
  const stream = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.nat(words.length - 1)), { maxLength: 24 });
  const anyId = fc.oneof(
    fc.integer({ min: 0, max: nano.vocabSize + 2 }),
    fc.constantFrom(...nano.specialTokens.values()),
  );
  const role = fc.constantFrom<HarmonyParserOptions>({}, given, { role: "tool" });

  it("never throws and loses no word that was written", { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(stream, role, (drawn, options) => {
        // Numbered, so that each word's own occurrence has to come back.
        const texts = drawn.map((piece, index) =>
          typeof piece === "number" ? ` ${words[piece]}n${index}` : piece,
        );
        const events = parse(texts.flatMap(harmonyIds), options);
        const out = JSON.stringify(events.filter((event) => event.type !== "text"));
        for (const text of texts) if (/n\d+$/.test(text)) expect(out).toContain(text.trim());
      }),
      { numRuns: 5000 },
    );
  });

  it("gives well-formed events for any ids: texts add up to the content, every message ends", {
    timeout: 30_000,
  }, () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 60 }), role, (ids, options) => {
        let open: string | undefined;
        for (const event of parse(ids, options)) {
          if (event.type === "message-start") {
            expect(open).toBeUndefined();
            open = "";
          }
          if (event.type === "text") open += event.text;
          if (event.type === "message-end") {
            expect(event.content).toBe(open);
            open = undefined;
          }
        }
        expect(open).toBeUndefined();
      }),
      { numRuns: 12_000 },
    );
  });

  it("gives the same events however the ids are cut, and the same messages however the text is", {
    timeout: 30_000,
  }, () => {
    /** The tokens of each byte. */
    const byteTokens = new Map<number, number>();
    for (let id = 0; id < nano.vocabSize; id++) {
      const [byte, ...more] = nano.bytes(id) ?? [];
      if (byte !== undefined && more.length === 0) byteTokens.set(byte, id);
    }
    const inBytes = (id: number): number[] => {
      const bytes = nano.bytes(id);
      return bytes === undefined ? [id] : Array.from(bytes, (byte) => byteTokens.get(byte) ?? -1);
    };
    const messages = (ids: readonly number[], options: HarmonyParserOptions) =>
      messagesOf(parse(ids, options));
    fc.assert(
      fc.property(stream, role, fc.array(fc.nat(9), { minLength: 1 }), (drawn, options, sizes) => {
        const ids = drawn.flatMap((piece) =>
          harmonyIds(typeof piece === "number" ? ` ${words[piece]} 💖` : piece),
        );
        const whole = parse(ids, options);
        const parser = createHarmonyParser(nano, options);
        const cut: HarmonyEvent[] = [];
        for (let at = 0, turn = 0; at < ids.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          const chunk = ids.slice(at, at + size + 1);
          cut.push(...chunk.flatMap((id) => parser.push(id)));
          at += chunk.length;
        }
        cut.push(...parser.end());
        expect(cut).toEqual(whole);
        expect(messages(ids.flatMap(inBytes), options)).toEqual(messagesOf(whole));
      }),
      { numRuns: 2000 },
    );
  });

  it("loses no character in messages and recoveries together", { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 60 }), role, (ids, options) => {
        const count = new Map<string, number>();
        const tally = (text: string, by: number): void => {
          for (const character of text.replaceAll(/[\s\uFFFD]/g, ""))
            count.set(character, (count.get(character) ?? 0) + by);
        };
        let run: number[] = [];
        for (const id of [...ids, -1]) {
          if (nano.bytes(id) !== undefined) run.push(id);
          else {
            tally(nano.decode(run), -1);
            run = [];
          }
        }
        for (const event of parse(ids, options)) {
          if (event.type === "message-end") tally(event.content, 1);
          if (event.type === "recovery") tally(event.text ?? "", 1);
          if (event.type === "message-start") tally(Object.values(event.header).join(""), 1);
        }
        // `to=` and a colon belong to a header's grammar. Specials that became text only add characters.
        const lost = [...count].filter(([character, sum]) => sum < 0 && !"to=:".includes(character));
        expect(lost).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });
});
