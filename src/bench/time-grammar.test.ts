import { afterAll, expect, it } from "vitest";
import { startGeneration } from "../runtime/generate.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { nanoGrammar, randomModel } from "../testing/random-model.ts";
import { harmonyTokens } from "../text/harmony-tokens.ts";
import type { BenchOptions } from "./report.ts";
import { createSchemaGuide, timeByGrammar } from "./time-grammar.ts";

const grammar = nanoGrammar();
afterAll(() => grammar.dispose());

const options: BenchOptions = { promptTokens: [1], decodeTokens: 40, runs: 2 };
const free = { tokens: 40, tokensPerSecond: 100, all: [100] };

it("keeps a model that writes anything to one valid answer after the other", async () => {
  const model = randomModel(grammar);
  const tokenizer = model.tokenizer;
  if (tokenizer === undefined) throw new Error("the random model has a tokenizer");
  const stop = tokenizer.special(harmonyTokens.return);
  const times: number[] = [];
  const guide = createSchemaGuide(grammar, stop, (ms) => times.push(ms));
  const tokens: number[] = [];
  const request = { maxNewTokens: 700, seed: 1, stopTokens: [], guide };
  for await (const token of startGeneration(model, [1], request)) tokens.push(token);
  const answers = tokenizer.decode(tokens).split(harmonyTokens.return).slice(0, -1);
  expect(answers.length).toBeGreaterThan(1);
  for (const answer of answers)
    expect(Object.keys(JSON.parse(answer))).toEqual(["name", "age", "role", "active", "tags", "address"]);
  expect(times.length).toBeGreaterThanOrEqual(tokens.length);
});

it("gives the rate, its share of the free one and the time of a mask", async () => {
  const rate = await timeByGrammar(randomModel(grammar), free, options);
  expect(rate).toMatchObject({ tokens: 40, all: [expect.any(Number), expect.any(Number)] });
  expect(rate.shareOfFree).toBeCloseTo(rate.tokensPerSecond / 100, 10);
  expect(rate.maskMs).toBeGreaterThan(0);
});

it.each<[string, (model: LoadedModel) => Partial<LoadedModel>, RegExp]>([
  ["without a tokenizer", () => ({ tokenizer: undefined }), /without a tokenizer/],
  ["without a grammar worker", () => ({ grammar: undefined }), /and a grammar worker/],
  [
    "with a tokenizer of more tokens than the model's",
    ({ config }) => ({ config: { ...config, vocabSize: 512 } }),
    /has 2560 tokens, the model 512/,
  ],
])("is refused %s", async (_, change, problem) => {
  const model = randomModel(grammar);
  await expect(timeByGrammar({ ...model, ...change(model) }, free, options)).rejects.toThrow(problem);
});
