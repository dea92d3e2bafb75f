// Requests that are cut off, by their signal or by their consumer: they end at once and leave nothing behind.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CountedGpu, openCountedGpu } from "../testing/counted-gpu.ts";
import { fixture, generate } from "../testing/engine.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./types.ts";

const { files, prompt } = fixture("tiny-bf16-experts", 0);
const longPrompt = Array.from({ length: 400 }, (_, i) => (i * 37 + 11) % 256);

let counted: CountedGpu;
let engine: Engine;
beforeAll(async () => {
  counted = await openCountedGpu();
  engine = await createEngine(counted.gpu);
  await engine.load(files, { contextLength: 512 });
});
afterAll(() => engine.dispose());

/** The next request, which must not see anything of the one before. */
async function expectFreshAnswer(): Promise<void> {
  expect(await generate(engine, prompt.tokens, { maxNewTokens: 16 })).toEqual({
    tokens: prompt.greedy,
    finishReason: "length",
  });
}

describe("abort", () => {
  it("before the start runs nothing", async () => {
    let submits = 0;
    counted.onSubmit(() => {
      submits += 1;
    });
    const answer = await generate(engine, prompt.tokens, { maxNewTokens: 16, signal: AbortSignal.abort() });
    counted.onSubmit(undefined);
    expect(answer).toEqual({ tokens: [], finishReason: "aborted" });
    expect(submits).toBe(0);
    await expectFreshAnswer();
  });

  it("while a long prompt is read ends before the next submit", async () => {
    await engine.load(files, { contextLength: 512 }); // a fresh pacer cuts the prompt alike on every GPU
    const abort = new AbortController();
    let submits = 0;
    counted.onSubmit(() => {
      submits += 1;
      if (submits === 2) abort.abort();
    });
    const answer = await generate(engine, longPrompt, { maxNewTokens: 16, signal: abort.signal });
    expect(answer).toEqual({ tokens: [], finishReason: "aborted" });
    expect(submits).toBe(2);
    counted.onSubmit(undefined);
    await expectFreshAnswer();
  });

  it.each([1, 2, 7])("after token %i yields no other", async (count) => {
    const abort = new AbortController();
    const answer = await generate(
      engine,
      prompt.tokens,
      { maxNewTokens: 100, signal: abort.signal },
      (tokens) => tokens.length === count && abort.abort(),
    );
    expect(answer).toEqual({ tokens: prompt.greedy.slice(0, count), finishReason: "aborted" });
    await expectFreshAnswer();
  });

  it("while a token is awaited does not wait for it", async () => {
    const abort = new AbortController();
    const generation = engine.generate(prompt.tokens, {
      maxNewTokens: 100,
      temperature: 0,
      stopTokens: [],
      signal: abort.signal,
    });
    const iterator = generation[Symbol.asyncIterator]();
    await iterator.next();
    const pending = iterator.next();
    abort.abort();
    expect([await pending, await iterator.next()].at(-1)).toEqual({ done: true, value: undefined });
    expect((await generation.result).finishReason).toBe("aborted");
    await expectFreshAnswer();
  });

  it("after the last token changes nothing", async () => {
    const abort = new AbortController();
    const answer = await generate(
      engine,
      prompt.tokens,
      { maxNewTokens: 3, signal: abort.signal },
      (tokens) => tokens.length === 3 && abort.abort(),
    );
    expect(answer).toEqual({ tokens: prompt.greedy.slice(0, 3), finishReason: "length" });
  });

  it("ends logits before the next pass", async () => {
    const abort = new AbortController();
    let submits = 0;
    counted.onSubmit(() => {
      submits += 1;
      if (submits === 3) abort.abort();
    });
    await expect(engine.logits(prompt.tokens, "decode", abort.signal)).rejects.toMatchObject({
      code: "aborted",
    });
    expect(submits).toBeLessThan(5);
    counted.onSubmit(undefined);
    await expect(engine.logits(prompt.tokens, "prefill", abort.signal)).rejects.toMatchObject({
      code: "aborted",
    });
    await expectFreshAnswer();
  });
});

describe("a consumer that leaves", () => {
  it.each([1, 3])("after token %i frees the engine", async (count) => {
    const generation = engine.generate(prompt.tokens, { maxNewTokens: 100, temperature: 0, stopTokens: [] });
    const tokens: number[] = [];
    for await (const token of generation) {
      tokens.push(token);
      if (tokens.length === count) break;
    }
    const { finishReason, stats } = await generation.result;
    expect([finishReason, stats.newTokens]).toEqual(["aborted", count]);
    expect(tokens).toEqual(prompt.greedy.slice(0, count));
    await expectFreshAnswer();
  });

  it("by an error of its own frees the engine", async () => {
    const failing = generate(engine, prompt.tokens, { maxNewTokens: 100 }, () => {
      throw new Error("the page is gone");
    });
    await expect(failing).rejects.toThrow("the page is gone");
    await expectFreshAnswer();
  });

  it("may unload at once, with steps still under way", async () => {
    for await (const _ of engine.generate(prompt.tokens, { maxNewTokens: 100, stopTokens: [] })) break;
    engine.unload();
    await engine.load(files, { contextLength: 512 });
    await expectFreshAnswer();
  });
});
