// The engine's contract on a reference checkpoint: life cycle, requests that are refused, limits, stop tokens, sampling.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { fixture, generate } from "../testing/engine.ts";
import type { ByteProgress } from "../weights/types.ts";
import { createEngine } from "./engine.ts";
import type { Engine, GenerateOptions } from "./types.ts";

const { files, prompt } = fixture("tiny-bf16-experts", 0);
const contextLength = 128;
const adapter = process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine(await openDawn(adapter));
});
afterAll(() => engine.dispose());

const code = (expected: string) => expect.objectContaining({ name: "EngineError", code: expected });
const load = () => engine.load(files, { contextLength });

describe("without a model", () => {
  it("refuses everything that needs one", async () => {
    expect(engine.info).toBeUndefined();
    expect(() => engine.generate([1], { maxNewTokens: 1 })).toThrow(code("not-loaded"));
    expect(() => engine.chat({ messages: [{ role: "user", content: "Hi" }] })).toThrow(code("not-loaded"));
    await expect(engine.logits([1], "prefill")).rejects.toEqual(code("not-loaded"));
    engine.unload();
  });

  it.each([0, -1, 1.5, Number.NaN, 131073])(
    "refuses a context of %s before anything is read",
    async (asked) => {
      await expect(engine.load(files, { contextLength: asked })).rejects.toEqual(code("request-invalid"));
      expect(engine.info).toBeUndefined();
    },
  );

  it("is left without one by an aborted load", async () => {
    const abort = new AbortController();
    const loading = engine.load(files, {
      contextLength,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(loading).rejects.toEqual(code("aborted"));
    expect(engine.info).toBeUndefined();
  });
});

describe("loading", () => {
  it("reports bytes that only grow, up to all of them, and says what runs how", async () => {
    const progress: ByteProgress[] = [];
    const info = await engine.load(files, { contextLength, onProgress: (state) => progress.push(state) });
    const bytes = progress.map(({ loadedBytes }) => loadedBytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(bytes[0]).toBeGreaterThan(0);
    expect(bytes.at(-1)).toBe(info.model.weightBytes);
    expect(progress.every(({ totalBytes, phase }) => totalBytes === bytes.at(-1) && phase === "load")).toBe(
      true,
    );
    expect(engine.info).toBe(info);
    expect(info).toMatchObject({ contextLength, kvFormat: "f32", model: { numLayers: 2, vocabSize: 256 } });
    expect(info.gpuBytes).toBeGreaterThan(info.model.weightBytes);
  });

  it("can be repeated and undone, and a request of before is refused", async () => {
    await load();
    const early = engine.generate(prompt.tokens, { maxNewTokens: 1 });
    engine.unload();
    expect(engine.info).toBeUndefined();
    expect(() => engine.generate(prompt.tokens, { maxNewTokens: 1 })).toThrow(code("not-loaded"));
    await load();
    await expect(early[Symbol.asyncIterator]().next()).rejects.toEqual(code("not-loaded"));
    await expect(early.result).rejects.toEqual(code("not-loaded"));
    expect((await generate(engine, prompt.tokens, { maxNewTokens: 4 })).tokens).toEqual(
      prompt.greedy.slice(0, 4),
    );
  });
});

describe("one request at a time", () => {
  it("refuses all others as busy while one runs, which goes on undisturbed", async () => {
    await load();
    const generation = engine.generate(prompt.tokens, { maxNewTokens: 6, temperature: 0, stopTokens: [] });
    const other = engine.generate(prompt.tokens, { maxNewTokens: 1 });
    const tokens: number[] = [];
    for await (const token of generation) {
      tokens.push(token);
      if (tokens.length !== 2) continue;
      await expect(other[Symbol.asyncIterator]().next()).rejects.toEqual(code("busy"));
      await expect(other.result).rejects.toEqual(code("busy"));
      await expect(engine.load(files)).rejects.toEqual(code("busy"));
      await expect(engine.logits([1], "decode")).rejects.toEqual(code("busy"));
      expect(() => engine.unload()).toThrow(code("busy"));
    }
    expect(tokens).toEqual(prompt.greedy.slice(0, 6));
  });

  it("refuses requests while a model loads", async () => {
    const loading = load();
    await expect(load()).rejects.toEqual(code("busy"));
    expect(() => engine.generate([1], { maxNewTokens: 1 })).toThrow(code("not-loaded"));
    expect(await loading).toBe(engine.info);
  });
});

describe("requests", () => {
  it.each<[string, readonly number[], GenerateOptions]>([
    ["an empty prompt", [], { maxNewTokens: 1 }],
    ["an id beyond the vocabulary", [1, 256], { maxNewTokens: 1 }],
    ["a negative id", [-1], { maxNewTokens: 1 }],
    ["a fractional id", [1.5], { maxNewTokens: 1 }],
    ["an id that is no number", [Number.NaN], { maxNewTokens: 1 }],
    ["no new tokens", [1], { maxNewTokens: 0 }],
    ["a fraction of new tokens", [1], { maxNewTokens: 2.5 }],
    ["a negative temperature", [1], { maxNewTokens: 1, temperature: -0.1 }],
    ["a temperature that is no number", [1], { maxNewTokens: 1, temperature: Number.NaN }],
    ["an endless temperature", [1], { maxNewTokens: 1, temperature: Number.POSITIVE_INFINITY }],
    ["too many stop tokens", [1], { maxNewTokens: 1, stopTokens: Array.from({ length: 32 }, (_, i) => i) }],
  ])("are refused with %s", (_, tokens, options) => {
    expect(() => engine.generate(tokens, options)).toThrow(code("request-invalid"));
  });

  it("for logits are checked alike", async () => {
    await expect(engine.logits([], "prefill")).rejects.toEqual(code("request-invalid"));
    await expect(engine.logits([0, 256], "decode")).rejects.toEqual(code("request-invalid"));
    await expect(engine.logits(Array(contextLength + 1).fill(1), "prefill")).rejects.toEqual(
      code("context-overflow"),
    );
  });
});

describe("the context's length", () => {
  it("is used to the last token, with the tokens of a longer one", async () => {
    await load();
    const room = prompt.greedy.length;
    const expected = await generate(engine, prompt.tokens, { maxNewTokens: room });
    expect(expected).toEqual({ tokens: prompt.greedy, finishReason: "length" });
    const exact = prompt.tokens.length + room;
    await engine.load(files, { contextLength: exact });
    expect(await generate(engine, prompt.tokens, { maxNewTokens: room })).toEqual(expected);
    expect(() => engine.generate(prompt.tokens, { maxNewTokens: room + 1 })).toThrow(
      expect.objectContaining({
        code: "context-overflow",
        details: { promptTokens: prompt.tokens.length, maxNewTokens: room + 1, contextLength: exact },
      }),
    );
  });

  it("may be one prompt and one token", async () => {
    await engine.load(files, { contextLength: 2 });
    expect((await generate(engine, [7], { maxNewTokens: 1 })).tokens).toHaveLength(1);
    expect(() => engine.generate([7, 8], { maxNewTokens: 1 })).toThrow(code("context-overflow"));
  });
});

describe("stop tokens", () => {
  const third = prompt.greedy[2] ?? -1;
  const end = prompt.greedy.indexOf(third) + 1;

  it("end the answer and are its last token", async () => {
    await load();
    expect(await generate(engine, prompt.tokens, { maxNewTokens: 16, stopTokens: [254, third] })).toEqual({
      tokens: prompt.greedy.slice(0, end),
      finishReason: "stop",
    });
  });

  it("end it also where they come first or last", async () => {
    const [first = -1] = prompt.greedy;
    expect(await generate(engine, prompt.tokens, { maxNewTokens: 16, stopTokens: [first] })).toEqual({
      tokens: [first],
      finishReason: "stop",
    });
    expect(await generate(engine, prompt.tokens, { maxNewTokens: end, stopTokens: [third] })).toEqual({
      tokens: prompt.greedy.slice(0, end),
      finishReason: "stop",
    });
  });

  it("do nothing where there are none", async () => {
    expect(await generate(engine, prompt.tokens, { maxNewTokens: 16, stopTokens: [] })).toEqual({
      tokens: prompt.greedy,
      finishReason: "length",
    });
  });
});

describe("sampling", () => {
  const sample = async (seed: number, temperature = 1) =>
    (await generate(engine, prompt.tokens, { maxNewTokens: 12, temperature, seed })).tokens;

  it("repeats itself with the same seed and differs with another", async () => {
    const first = await sample(1);
    expect(await sample(1)).toEqual(first);
    const others = [await sample(2), await sample(3)];
    expect(others[0]).not.toEqual(first);
    expect(others[1]).not.toEqual(others[0]);
    expect(first).not.toEqual(prompt.greedy.slice(0, 12));
  });

  it("comes to the greedy tokens as the temperature falls", async () => {
    expect(await sample(1, 0.001)).toEqual(prompt.greedy.slice(0, 12));
  });

  it("draws a seed where none is given", async () => {
    const draw = async () =>
      (await generate(engine, prompt.tokens, { maxNewTokens: 12, temperature: 1 })).tokens.join();
    expect(new Set([await draw(), await draw(), await draw()]).size).toBeGreaterThan(1);
  });

  it("tells how long it took", async () => {
    const generation = engine.generate(prompt.tokens, { maxNewTokens: 4, stopTokens: [] });
    for await (const _ of generation);
    const { stats } = await generation.result;
    expect(stats).toMatchObject({ promptTokens: prompt.tokens.length, newTokens: 4 });
    expect(stats.timeToFirstTokenMs).toBeGreaterThan(0);
    expect(stats.prefillTokensPerSecond).toBeGreaterThan(0);
    expect(stats.decodeTokensPerSecond).toBeGreaterThan(0);
  });
});

it("chats only with a tokenizer", async () => {
  const iterator = engine.chat({ messages: [{ role: "user", content: "Hi" }] })[Symbol.asyncIterator]();
  await expect(iterator.next()).rejects.toEqual(code("tokenizer-invalid"));
});

describe("dispose", () => {
  it("ends a generation, and everything after it", async () => {
    const disposed = await createEngine(await openDawn(adapter));
    await disposed.load(files, { contextLength });
    const generation = disposed.generate(prompt.tokens, { maxNewTokens: 100, stopTokens: [] });
    const tokens: number[] = [];
    const consume = async () => {
      for await (const token of generation) {
        tokens.push(token);
        if (tokens.length === 2) disposed.dispose();
      }
    };
    await expect(consume()).rejects.toEqual(code("disposed"));
    await expect(generation.result).rejects.toEqual(code("disposed"));
    expect(tokens).toHaveLength(2);
    disposed.dispose();
    expect(disposed.info).toBeUndefined();
    expect(() => disposed.generate([1], { maxNewTokens: 1 })).toThrow(code("disposed"));
    expect(() => disposed.chat({ messages: [] })).toThrow(code("disposed"));
    await expect(disposed.logits([1], "prefill")).rejects.toEqual(code("disposed"));
    await expect(disposed.load(files)).rejects.toEqual(code("disposed"));
    expect(() => disposed.unload()).toThrow(code("disposed"));
  });

  it("ends a load", async () => {
    const disposed = await createEngine(await openDawn(adapter));
    const loading = disposed.load(files, { contextLength, onProgress: () => disposed.dispose() });
    await expect(loading).rejects.toEqual(code("disposed"));
    expect(disposed.info).toBeUndefined();
  });
});
