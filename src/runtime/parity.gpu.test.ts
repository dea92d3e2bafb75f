// The engine against transformers: logits of every position and greedy continuations, for every fixture, kernel
// variant and path; the nano model's continuations.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { kernelVariants } from "../gpu/gpu.ts";
import { expectClose } from "../testing/compare.ts";
import { readNanoReference, readReference, repositoryPath } from "../testing/reference.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./types.ts";

const fixtures = ["tiny-mxfp4", "tiny-sharded", "tiny-bf16-experts"];
const nano = repositoryPath("models/gpt-oss-nano");

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
});
afterAll(() => engine.dispose());

async function greedy(
  prompt: readonly number[],
  count: number,
  stopTokens?: readonly number[],
): Promise<number[]> {
  const options = {
    maxNewTokens: count,
    temperature: 0,
    ...(stopTokens === undefined ? {} : { stopTokens }),
  };
  const tokens: number[] = [];
  for await (const token of engine.generate(prompt, options)) tokens.push(token);
  return tokens;
}

describe.each(fixtures)("%s", (name) => {
  const folder = repositoryPath(`fixtures/${name}`);
  const prompts = readReference(folder);

  describe.each(kernelVariants)("%s", (variant) => {
    beforeAll(async () => {
      await engine.load(createFolderFiles(folder), { variant, contextLength: 512 });
    });

    it.each(["prefill", "decode"] as const)(
      "logits agree with transformers within 1e-3 at every position (%s)",
      async (path) => {
        for (const { tokens, logits } of prompts) {
          expectClose(
            await engine.logits(tokens, path),
            logits,
            { absolute: 1e-3 },
            `${name} ${path} logits`,
          );
        }
      },
    );

    it("greedy continuations match token for token", async () => {
      for (const prompt of prompts)
        expect(await greedy(prompt.tokens, prompt.greedy.length, [])).toEqual(prompt.greedy);
    });
  });
});

describe("tiny-mxfp4 with an f16 KV cache", () => {
  it("keeps the greedy continuations", async () => {
    const folder = repositoryPath("fixtures/tiny-mxfp4");
    await engine.load(createFolderFiles(folder), { kvFormat: "f16", contextLength: 512 });
    for (const prompt of readReference(folder))
      expect(await greedy(prompt.tokens, prompt.greedy.length, [])).toEqual(prompt.greedy);
  });
});

describe("gpt-oss-nano", () => {
  beforeAll(async () => {
    await engine.load(createFolderFiles(nano));
  });

  it.each(readNanoReference(nano).map((prompt, i) => ({ ...prompt, i })))(
    "prompt $i continues as the reference, to its stop token",
    async ({ prompt, greedy: expected }) => {
      // The reference ends at a stop token or after 64 tokens; a stop token must end ours too.
      expect(await greedy(prompt, expected.length === 64 ? 64 : expected.length + 8)).toEqual(expected);
    },
  );

  it("has the reference's best logits", async () => {
    for (const { prompt, greedy: continuation, top8 } of readNanoReference(nano).slice(0, 2)) {
      const tokens = [...prompt, ...continuation];
      const logits = await engine.logits(tokens, "prefill");
      const vocabSize = logits.length / tokens.length;
      for (const { pos, ids, logits: expected } of top8) {
        expectClose(
          ids.map((id) => logits[pos * vocabSize + id] ?? Number.NaN),
          expected,
          { absolute: 1e-3 },
          `nano logits at ${pos}`,
        );
      }
    }
  });
});
