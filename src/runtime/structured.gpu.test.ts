// Structured output with the embedded model at temperature 1.
import { Validator } from "@cfworker/json-schema";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { nanoFolder } from "../desktop/embedded-model.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { openGrammar } from "../desktop/open-grammar.ts";
import { structuredCases } from "../testing/structured-schemas.ts";
import { createEngine } from "./engine.ts";
import type { ChatRequest, Engine } from "./types.ts";

let engine: Engine;
beforeAll(async () => {
  const gpu = await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader");
  engine = await createEngine(gpu, { openGrammar });
  await engine.load(createFolderFiles(nanoFolder()), { contextLength: 2048 });
});
afterAll(() => engine.dispose());

async function ask(question: string, request: Partial<ChatRequest>) {
  let content = "";
  const messages = [{ role: "user", content: question }] as const;
  const base = { messages, currentDate: "2026-11-22", reasoningEffort: "low" } as const;
  for await (const event of engine.chat({ ...base, ...request })) {
    if (event.type === "content") content += event.text;
    if (event.type === "done") return { content, finishReason: event.finishReason };
  }
  throw new Error("a chat ends with done");
}

/** Every fifth schema once; STRUCTURED_RUNS=10 makes the 200 seeded runs of the project's bar, on a GPU. */
const runsOfEach = Number(process.env.STRUCTURED_RUNS ?? 0);
const runs =
  runsOfEach === 0
    ? structuredCases.filter((_, i) => i % 5 === 0).map((entry) => ({ ...entry, seed: 0 }))
    : structuredCases.flatMap((entry) =>
        Array.from({ length: runsOfEach }, (_, seed) => ({ ...entry, seed })),
      );

describe("an answer to a schema", () => {
  it.each(runs)("$name parses and is valid, seed $seed", async ({ name, schema, question, seed }) => {
    const { content, finishReason } = await ask(question, {
      responseFormat: { type: "json_schema", name, schema },
      reasoning: { maxTokens: 6 },
      seed,
    });
    expect(finishReason).toBe("stop");
    const { valid, errors } = new Validator(schema, "2020-12").validate(JSON.parse(content));
    expect(valid, `${content}\n${JSON.stringify(errors.at(-1))}`).toBe(true);
  });
});
