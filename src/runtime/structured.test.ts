// Chats of a model that writes anything it is allowed to, with the real grammar worker's code: no GPU.
import { Validator } from "@cfworker/json-schema";
import { afterAll, describe, expect, it } from "vitest";
import { nanoGrammar, randomModel } from "../testing/random-model.ts";
import { structuredCases } from "../testing/structured-schemas.ts";
import { chatEvents } from "./chat.ts";
import type { ChatEvent, ChatRequest } from "./types.ts";

const grammar = nanoGrammar();
afterAll(() => grammar.dispose());

async function ask(request: Partial<ChatRequest>) {
  const events: ChatEvent[] = [];
  const messages = [{ role: "user", content: "Hello!" }] as const;
  for await (const event of chatEvents(randomModel(grammar), { messages, ...request })) events.push(event);
  const content = events.map((event) => (event.type === "content" ? event.text : "")).join("");
  const done = events.at(-1);
  if (done?.type !== "done") throw new Error("a chat ends with done");
  return { events, content, finishReason: done.finishReason, newTokens: done.stats.newTokens };
}

describe("an answer to a schema, from a model that writes anything", () => {
  it.each(structuredCases)("$name parses and is valid", async ({ name, schema }) => {
    const validator = new Validator(schema, "2020-12");
    for (let seed = 0; seed < 10; seed++) {
      const responseFormat = { type: "json_schema", name, schema } as const;
      const { content, finishReason } = await ask({ responseFormat, seed, reasoning: { maxTokens: 10 } });
      expect(finishReason).toBe("stop");
      expect(validator.validate(JSON.parse(content)).valid, content).toBe(true);
    }
  });

  it("is cut off by maxNewTokens, which the finish reason says", async () => {
    const schema = { type: "string", minLength: 500 };
    const responseFormat = { type: "json_schema", name: "x", schema } as const;
    const { finishReason, newTokens } = await ask({
      responseFormat,
      maxNewTokens: 30,
      reasoning: { maxTokens: 0 },
    });
    expect([finishReason, newTokens]).toEqual(["length", 30]);
  });

  it("leaves no reasoning in any event where it is excluded", async () => {
    const responseFormat = { type: "json_object" } as const;
    for (let seed = 0; seed < 8; seed++) {
      const shown = await ask({ responseFormat, seed, maxNewTokens: 120, reasoning: { maxTokens: 30 } });
      const hidden = await ask({
        responseFormat,
        seed,
        maxNewTokens: 120,
        reasoning: { maxTokens: 30, exclude: true },
      });
      const ofContent = (events: readonly ChatEvent[]) =>
        events.filter(({ type }) => type !== "reasoning" && type !== "done");
      expect(ofContent(hidden.events)).toEqual(ofContent(shown.events));
      expect(hidden.events.some(({ type }) => type === "reasoning")).toBe(false);
    }
  });

  it("calls the function that is asked for, with arguments that match", async () => {
    const parameters = structuredCases[1]?.schema;
    const tools = [{ name: "save", description: "Saves.", parameters }];
    for (let seed = 0; seed < 4; seed++) {
      const { events, finishReason } = await ask({
        tools,
        toolChoice: { name: "save" },
        seed,
        reasoning: { maxTokens: 5 },
      });
      const call = events.find((event) => event.type === "tool-call");
      expect([finishReason, call?.type === "tool-call" && call.name]).toEqual(["tool-call", "save"]);
      const value: unknown = call?.type === "tool-call" ? JSON.parse(call.arguments) : undefined;
      expect(new Validator(parameters ?? {}).validate(value).valid).toBe(true);
    }
  });
});
