// Structured output, tool choice and reasoning options with the embedded model at temperature 1.
import { Validator } from "@cfworker/json-schema";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { nanoFolder } from "../desktop/embedded-model.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { openGrammar } from "../desktop/open-grammar.ts";
import { structuredCases } from "../testing/structured-schemas.ts";
import { createEngine } from "./engine.ts";
import type { ChatEvent, ChatRequest, Engine } from "./types.ts";

let engine: Engine;
beforeAll(async () => {
  const gpu = await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader");
  engine = await createEngine(gpu, { openGrammar });
  await engine.load(createFolderFiles(nanoFolder()), { contextLength: 2048 });
});
afterAll(() => engine.dispose());

async function ask(question: string, request: Partial<ChatRequest>) {
  const events: ChatEvent[] = [];
  const messages = [{ role: "user", content: question }] as const;
  const base = { messages, currentDate: "2026-11-22", reasoningEffort: "low", seed: 1 } as const;
  for await (const event of engine.chat({ ...base, ...request })) events.push(event);
  const text = (type: "content" | "reasoning") =>
    events.map((event) => (event.type === type ? event.text : "")).join("");
  const done = events.at(-1);
  if (done?.type !== "done") throw new Error("a chat ends with done");
  const calls = events.filter((event) => event.type === "tool-call");
  return { events, done, calls, content: text("content"), reasoning: text("reasoning") };
}

/** Every fifth schema once; STRUCTURED_RUNS=10 makes the 200 seeded runs of the project's bar, which take minutes. */
const runsOfEach = Number(process.env.STRUCTURED_RUNS ?? 0);
const runs =
  runsOfEach === 0
    ? structuredCases.filter((_, i) => i % 5 === 0).map((entry) => ({ ...entry, seed: 0 }))
    : structuredCases.flatMap((entry) =>
        Array.from({ length: runsOfEach }, (_, seed) => ({ ...entry, seed })),
      );

describe("an answer to a schema", () => {
  it.each(runs)("$name parses and is valid, seed $seed", async ({ name, schema, question, seed }) => {
    const { content, done } = await ask(question, {
      responseFormat: { type: "json_schema", name, schema },
      reasoning: { maxTokens: 6 },
      seed,
    });
    expect(done.finishReason).toBe("stop");
    const { valid, errors } = new Validator(schema, "2020-12").validate(JSON.parse(content));
    expect(valid, `${content}\n${JSON.stringify(errors.at(-1))}`).toBe(true);
  });

  it("of type json_object begins an object, which parses if it ends", async () => {
    const { content, done } = await ask("Anna is 30. Answer with JSON.", {
      responseFormat: { type: "json_object" },
      reasoning: { maxTokens: 0 },
      maxNewTokens: 60,
    });
    expect(content).toMatch(/^\{/);
    if (done.finishReason === "stop") expect(JSON.parse(content)).toBeTypeOf("object");
  });

  it("cut off by maxNewTokens says so", async () => {
    const { done, content } = await ask("List the planets.", {
      responseFormat: {
        type: "json_schema",
        name: "list",
        schema: { type: "array", items: { type: "string", minLength: 5 }, minItems: 9 },
      },
      reasoning: { maxTokens: 0 },
      maxNewTokens: 12,
    });
    expect([done.finishReason, done.stats.newTokens]).toEqual(["length", 12]);
    expect(content).toMatch(/^\[\s*"/);
  });

  it("is refused before anything runs where its schema cannot be enforced", async () => {
    const schema = { type: "array", uniqueItems: true };
    const asked = ask("Hi", { responseFormat: { type: "json_schema", name: "x", schema } });
    await expect(asked).rejects.toMatchObject({
      code: "request-invalid",
      message: expect.stringContaining("uniqueItems"),
    });
    expect((await ask("Hello!", { temperature: 0 })).content.length).toBeGreaterThan(0);
  });
});

describe("a tool choice", () => {
  const number = { type: "integer", minimum: 0, maximum: 99 };
  const tools = [
    {
      name: "add",
      description: "Adds two numbers.",
      parameters: { type: "object", properties: { a: number, b: number }, required: ["a", "b"] },
    },
    { name: "roll_dice", description: "Rolls a die." },
    {
      name: "search",
      description: "Searches.",
      parameters: { type: "object", properties: { q: { type: "string", maxLength: 20 } }, required: ["q"] },
    },
  ];
  const argumentsOf = (call: ChatEvent | undefined) =>
    call?.type === "tool-call" ? JSON.parse(call.arguments) : undefined;

  it.each(["add", "roll_dice", "search"])("of %s calls it, with arguments of its schema", async (name) => {
    const { calls, done, content } = await ask("Tell me a story.", { tools, toolChoice: { name } });
    expect([calls.length, done.finishReason, content]).toEqual([1, "tool-call", ""]);
    expect(calls[0]).toMatchObject({ name });
    const schema = tools.find((tool) => tool.name === name)?.parameters ?? { additionalProperties: false };
    expect(new Validator(schema as object).validate(argumentsOf(calls[0])).valid).toBe(true);
  });

  it("required calls one of them", async () => {
    for (const seed of [1, 2]) {
      const { calls, done } = await ask("Hello!", {
        ...{ tools, toolChoice: "required", seed },
        reasoning: { maxTokens: 6 },
      });
      expect([calls.length, done.finishReason]).toEqual([1, "tool-call"]);
      expect(tools.map(({ name }) => name)).toContain(calls[0]?.type === "tool-call" ? calls[0].name : "");
    }
  });

  it("none calls none", async () => {
    const { calls, content } = await ask("What is 17 + 25?", { tools, toolChoice: "none" });
    expect(calls).toEqual([]);
    expect(content.length).toBeGreaterThan(0);
  });
});

describe("reasoning", () => {
  it.each([0, 1, 7])("ends after %i tokens, and the answer follows", async (maxTokens) => {
    const { reasoning, content, done } = await ask("What is 17 + 25?", {
      reasoning: { maxTokens },
      reasoningEffort: "low",
      temperature: 0,
      maxNewTokens: 40, // without its reasoning the model may not find an end
    });
    expect(reasoning === "").toBe(maxTokens === 0);
    expect(reasoning.length).toBeLessThan(12 * maxTokens + 1);
    expect(content.length).toBeGreaterThan(0);
    expect(content).not.toContain("<|");
    expect(["stop", "length"]).toContain(done.finishReason);
  });

  it("is the same up to its limit as without one", async () => {
    const options = { reasoningEffort: "low", temperature: 0, maxNewTokens: 80 } as const;
    const free = await ask("What is 17 + 25?", options);
    const short = await ask("What is 17 + 25?", { ...options, reasoning: { maxTokens: 5 } });
    expect(free.reasoning.startsWith(short.reasoning)).toBe(true);
    expect(free.reasoning.length).toBeGreaterThan(short.reasoning.length);
    const long = await ask("What is 17 + 25?", { ...options, reasoning: { maxTokens: 500 } });
    expect([long.reasoning, long.content]).toEqual([free.reasoning, free.content]);
  });

  it("that is excluded is in no event", async () => {
    const options = { temperature: 0, reasoningEffort: "low", maxNewTokens: 80 } as const;
    const shown = await ask("What is 17 + 25?", options);
    const hidden = await ask("What is 17 + 25?", { ...options, reasoning: { exclude: true } });
    expect(hidden.events.filter(({ type }) => type === "reasoning")).toEqual([]);
    expect(hidden.content).toBe(shown.content);
    expect(shown.reasoning.length).toBeGreaterThan(0);
  });
});
