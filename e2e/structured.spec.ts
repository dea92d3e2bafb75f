import { Validator } from "@cfworker/json-schema";
import type * as Library from "../src/index.ts";
import { repositoryPath } from "../src/testing/reference.ts";
import { expect, test } from "./support/test.ts";

// Structured output of the built library: the grammar worker is a third script, started by the engine's worker.

/** Runs in the page. */
declare global {
  var library: typeof Library;
  var engine: Library.WorkerEngine;
}

const mounts = { "/lib/": repositoryPath("dist/lib"), "/models/": repositoryPath("models") };
const schema = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 20 },
    size: { enum: ["klein", "größer"] },
    scores: { type: "array", items: { type: "number", minimum: 0, maximum: 9.5 }, minItems: 1, maxItems: 3 },
  },
  required: ["name", "size", "scores"],
};

test("the embedded model keeps to a schema, and a schema that cannot be enforced is refused", async ({
  serve,
  visit,
}) => {
  const server = await serve({ root: repositoryPath("e2e/harness"), mounts });
  const { page } = await visit();
  await page.goto(server.url);
  const answers = await page.evaluate(async (schema) => {
    const address = "/lib/index.js";
    globalThis.library = (await import(address)) as typeof Library;
    globalThis.engine = library.createWorkerEngine();
    await engine.load({ baseUrl: "/models/gpt-oss-nano/" }, { contextLength: 1024 });
    const ask = async (asked: unknown) => {
      let content = "";
      let reasoning = "";
      const messages = [{ role: "user", content: "Anna is 30." }] as const;
      const responseFormat = { type: "json_schema", name: "person", schema: asked } as const;
      const reasoningOptions = { maxTokens: 4, exclude: true };
      const events = engine.chat({ messages, responseFormat, reasoning: reasoningOptions, seed: 3 });
      try {
        for await (const event of events) {
          if (event.type === "content") content += event.text;
          if (event.type === "reasoning") reasoning += event.text;
        }
      } catch (error) {
        return library.isEngineError(error) ? error.code : String(error);
      }
      return content + reasoning;
    };
    return [await ask(schema), await ask({ type: "array", uniqueItems: true }), await ask(schema)];
  }, schema);
  const [first = "", refused, again] = answers;
  expect(refused).toBe("request-invalid");
  expect(again).toBe(first);
  expect(new Validator(schema as object).validate(JSON.parse(first)).valid).toBe(true);
});
