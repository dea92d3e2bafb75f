// Answers of a model that writes anything it is allowed to: whatever it does, they are well-formed and keep to the rules.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Constraint } from "../grammar/grammar-engine.ts";
import { seededRandom } from "../testing/data.ts";
import type { ChatAbilities } from "../text/chat-types.ts";
import { createHarmonyParser } from "../text/harmony-parser.ts";
import { messagesOf, nano, type ParsedMessage } from "../text/nano.fixture.ts";
import { createAnswerGuide } from "./answer-guide.ts";
import { answerRules, needsRules } from "./answer-rules.ts";
import type { TokenMask } from "./guide.ts";

const vocabSize = nano.vocabSize;
const ends = new Set(["<|end|>", "<|return|>", "<|call|>"].map((name) => nano.special(name)));
const stops = new Set(["<|return|>", "<|call|>"].map((name) => nano.special(name)));
const idsOf = (mask: TokenMask) =>
  Array.from({ length: vocabSize }, (_, id) => id).filter(
    (id) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1,
  );

const maskOf = (ids: readonly number[]): TokenMask => {
  const mask: TokenMask = new Uint32Array(Math.ceil(vocabSize / 32));
  for (const id of ids) mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31));
  return mask;
};

/** Stands for a grammar: the text `{}`, then the stop token. */
const braces = {
  start: async (_grammar: unknown, [stop = 0]: readonly number[]): Promise<Constraint> => {
    let rest = [...nano.encode("{"), ...nano.encode("}"), stop];
    return {
      first: maskOf(rest.slice(0, 1)),
      accept: async (token) => {
        if (token !== rest[0]) throw new Error(`${token} was not allowed`);
        rest = rest.slice(1);
        return maskOf(rest.slice(0, 1));
      },
    };
  },
  dispose: () => {},
};

interface Answer {
  readonly tokens: number[];
  readonly messages: ParsedMessage[];
  /** Tokens in analysis, by the parser. */
  readonly numReasoning: number;
}

/** An answer under these abilities, of tokens drawn by chance; an end is drawn with `endShare`. */
async function answer(abilities: ChatAbilities, seed: number, endShare = 0.1): Promise<Answer> {
  const random = seededRandom(seed);
  const guide = createAnswerGuide(nano, vocabSize, await answerRules(nano, braces, abilities));
  const parser = createHarmonyParser(nano, { role: "assistant", strict: true });
  const events: ReturnType<typeof parser.push> = [];
  const tokens: number[] = [];
  let numReasoning = 0;
  let isReasoning = false;
  const take = (token: number) => {
    tokens.push(token);
    if (isReasoning && !ends.has(token)) numReasoning += 1;
    for (const event of parser.push(token)) {
      events.push(event);
      if (event.type === "message-start")
        isReasoning = event.header.channel === "analysis" && event.header.recipient === undefined;
      if (event.type === "message-end") isReasoning = false;
    }
  };
  let direction = guide.begin();
  while (tokens.length < 5000) {
    if (direction.kind === "forced") {
      for (const token of direction.tokens) {
        take(token);
        direction = guide.next(token);
      }
      continue;
    }
    const ids = idsOf(await direction.mask);
    const endings = ids.filter((id) => ends.has(id));
    const from = endings.length > 0 && random() < endShare ? endings : ids;
    const token = from[Math.floor(random() * from.length)] ?? 0;
    take(token);
    if (stops.has(token)) return { tokens, messages: messagesOf(events), numReasoning };
    direction = guide.next(token);
  }
  throw new Error("the answer does not end");
}

const schema = { type: "object" };
const json: ChatAbilities = { responseFormat: { type: "json_schema", name: "x", schema } };
const tools = ["get_weather", "get_wind", "search"].map((name) => ({
  name,
  description: name,
  parameters: schema,
}));
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const runs = { numRuns: 40 };

describe("rules", () => {
  it("are for answers that a prompt alone does not grant", () => {
    expect(needsRules({})).toBe(false);
    expect(needsRules({ tools, toolChoice: "auto", responseFormat: { type: "text" }, reasoning: {} })).toBe(
      false,
    );
    const asked: ChatAbilities[] = [
      json,
      { tools, toolChoice: "none" },
      { toolChoice: "none" },
      { guided: true },
      { reasoning: { exclude: true } },
      { reasoning: { maxTokens: 0 } },
    ];
    expect(asked.map(needsRules)).toEqual(asked.map(() => true));
  });

  it.each([-1, 1.5, Number.NaN])("refuse a budget of %s", async (maxTokens) => {
    await expect(answerRules(nano, braces, { reasoning: { maxTokens } })).rejects.toMatchObject({
      code: "request-invalid",
    });
  });

  it("refuse a schema where there is no grammar worker", async () => {
    await expect(answerRules(nano, undefined, json)).rejects.toMatchObject({ code: "request-invalid" });
  });
});

describe("an answer", () => {
  it("that must be JSON is analysis and one final, which matches", () =>
    fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const { messages } = await answer(json, seed);
        const final = messages.at(-1);
        expect(final).toMatchObject({ channel: "final", content: "{}" });
        expect(
          messages
            .slice(0, -1)
            .every(({ channel, recipient }) => channel === "analysis" && recipient === undefined),
        ).toBe(true);
      }),
      runs,
    ));

  it("reasons no longer than its budget, but to complete a character", () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 0, max: 40 }), async (seed, maxTokens) => {
        const { messages, numReasoning } = await answer({ reasoning: { maxTokens } }, seed, 0.02);
        expect(numReasoning).toBeLessThanOrEqual(maxTokens === 0 ? 0 : maxTokens + 3);
        expect(messages.at(-1)?.channel).toBe("final");
        if (maxTokens === 0) expect(messages).toHaveLength(1);
      }),
      runs,
    ));

  it("that must call a function calls one of those, with arguments that match", () =>
    fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const { messages } = await answer({ tools, toolChoice: "required" }, seed);
        const call = messages.at(-1);
        expect(call).toMatchObject({ channel: "commentary", content: "{}" });
        expect(tools.map(({ name }) => `functions.${name}`)).toContain(call?.recipient);
        // Reasoning, if any, comes once: who does not want to call would go on reasoning to the end of the context.
        expect([[], ["analysis"]]).toContainEqual(messages.slice(0, -1).map(({ channel }) => channel));
      }),
      runs,
    ));

  it("calls every function of a required choice at times, and the named one always", async () => {
    const recipients = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      recipients.add((await answer({ tools, toolChoice: "required" }, seed)).messages.at(-1)?.recipient);
      const named = await answer({ tools, toolChoice: { name: "get_wind" } }, seed);
      expect(named.messages.at(-1)?.recipient).toBe("functions.get_wind");
    }
    expect(recipients.size).toBe(3);
  });

  it("that must not call a function calls none, but may call built-in tools", async () => {
    const recipients = new Set<string | undefined>();
    for (let seed = 0; seed < 60; seed++) {
      const abilities: ChatAbilities = { tools, toolChoice: "none", builtinTools: ["python"] };
      for (const { recipient } of (await answer(abilities, seed)).messages) recipients.add(recipient);
    }
    expect(recipients).toEqual(new Set([undefined, "python"]));
  });

  it("may call what it likes, or say something first, where nothing else is asked", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 80; seed++) {
      const abilities: ChatAbilities = { tools, builtinTools: ["browser"], reasoning: { exclude: true } };
      for (const { channel, recipient } of (await answer(abilities, seed)).messages)
        seen.add(`${channel} ${recipient ?? "-"}`);
    }
    expect([...seen].sort()).toEqual([
      "analysis -",
      "analysis browser.find",
      "analysis browser.open",
      "analysis browser.search",
      "commentary -",
      ...tools.map(({ name }) => `commentary functions.${name}`).sort(),
      "final -",
    ]);
  });
});
