// What the GPU can do to an engine: go away, refuse memory, report a fault. Each is told by its code, and load() recovers.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGpu } from "../gpu/gpu.ts";
import { matricesAreExact } from "../model/choose-matrices.ts";
import { type CountedGpu, openCountedGpu } from "../testing/counted-gpu.ts";
import { withMatrices } from "../testing/emulated-matrices.ts";
import { fixture, generate } from "../testing/engine.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { createEngine } from "./engine.ts";
import { loadModel } from "./loaded-model.ts";
import type { Engine } from "./types.ts";

const { files, prompt } = fixture("tiny-bf16-experts", 0);

let counted: CountedGpu;
let engine: Engine;
beforeAll(async () => {
  counted = await openCountedGpu();
  engine = await createEngine(counted.gpu);
});
afterAll(() => engine.dispose());

const load = () => engine.load(files, { contextLength: 64 });
const code = (expected: string) => expect.objectContaining({ name: "EngineError", code: expected });

async function expectAnswer(): Promise<void> {
  expect((await generate(engine, prompt.tokens, { maxNewTokens: 8 })).tokens).toEqual(
    prompt.greedy.slice(0, 8),
  );
}

describe("memory", () => {
  it("is given back by unload, however often", async () => {
    const made: number[] = [];
    for (let cycle = 0; cycle < 5; cycle += 1) {
      const before = counted.madeBuffers();
      await load();
      if (cycle % 2 === 0) await engine.logits([1, 2, 3], "prefill");
      made.push(counted.liveBuffers());
      expect(counted.madeBuffers() - before).toBeGreaterThan(40);
      engine.unload();
      expect(counted.liveBuffers()).toBe(0);
    }
    expect(new Set(made.filter((_, cycle) => cycle % 2 === 1)).size).toBe(1);
  });

  it("of a model is given back when another is loaded", async () => {
    await load();
    const live = counted.liveBuffers();
    await load();
    expect(counted.liveBuffers()).toBe(live);
    await expectAnswer();
  });

  it.each([
    ["the test of subgroups", "subgroup test"],
    ["the first weights", "embedding"],
    ["a layer's weights", "layer 1 qkv weight"],
    ["the KV cache", "layer 1 keys"],
  ])("that is missing for %s is told, and nothing stays allocated", async (_, label) => {
    counted.failAllocation(label);
    await expect(load()).rejects.toEqual(code("out-of-memory"));
    expect(counted.liveBuffers()).toBe(0);
    expect(engine.info).toBeUndefined();
    expect(() => engine.generate([1], { maxNewTokens: 1 })).toThrow(code("not-loaded"));
    const devices = counted.devices();
    await load();
    await expectAnswer();
    expect(counted.devices()).toBe(devices);
  });

  it("that is missing for the test of matrices leaves prompts to f32", async () => {
    const watched = await openCountedGpu();
    const gpu = withMatrices(await openGpu(watched.gpu));
    watched.failAllocation("matrix test codes");
    const model = await loadModel(gpu, files, { contextLength: 64 });
    expect(model.info.matrices).toBe(false);
    model.destroy();
    expect(watched.liveBuffers()).toBe(0);
    expect(await matricesAreExact(gpu)).toBe(true); // where there is memory
    gpu.destroy();
  });

  it("that no adapter has is refused before any weight is read", async () => {
    engine.unload();
    const reads: number[] = [];
    const huge: CheckpointFiles = {
      ...files,
      async readText(name, signal) {
        const text = await files.readText(name, signal);
        return name === "config.json"
          ? text?.replace(/("max_position_embeddings": )\d+/, `$1${2 ** 24}`)
          : text;
      },
      async read(name, start, end, signal) {
        if (start > 0) reads.push(start);
        return files.read(name, start, end, signal);
      },
    };
    await expect(engine.load(huge, { contextLength: 2 ** 24 })).rejects.toEqual(code("limit-exceeded"));
    expect(reads).toEqual([]);
    expect(counted.liveBuffers()).toBe(0);
  });

  it("is given back where the weights cannot be read", async () => {
    const broken: CheckpointFiles = {
      ...files,
      async read(name, start, end, signal) {
        if (start > 0) throw new Error("the disk is gone");
        return files.read(name, start, end, signal);
      },
    };
    await expect(engine.load(broken, { contextLength: 64 })).rejects.toThrow("the disk is gone");
    expect(counted.liveBuffers()).toBe(0);
    expect(engine.info).toBeUndefined();
  });
});

describe("a fault that the GPU reports", () => {
  it("fails the request as internal, and load() recovers", async () => {
    await load();
    const run = generate(engine, prompt.tokens, { maxNewTokens: 40 }, (tokens) => {
      if (tokens.length === 2) counted.device().createBuffer({ size: 4, usage: 0xffff });
    });
    await expect(run).rejects.toEqual(code("internal"));
    expect(() => engine.generate([1], { maxNewTokens: 1 })).toThrow(code("internal"));
    await expect(engine.logits([1], "decode")).rejects.toEqual(code("internal"));
    await load();
    await expectAnswer();
  });
});

describe("a device that goes away", () => {
  it("while tokens are made fails the request, and load() recovers on a new one", async () => {
    await load();
    const devices = counted.devices();
    const generation = engine.generate(prompt.tokens, { maxNewTokens: 40, temperature: 0, stopTokens: [] });
    const tokens: number[] = [];
    const consume = async () => {
      for await (const token of generation) {
        tokens.push(token);
        if (tokens.length === 3) counted.device().destroy();
      }
    };
    await expect(consume()).rejects.toEqual(code("device-lost"));
    await expect(generation.result).rejects.toEqual(code("device-lost"));
    expect(tokens.length).toBeLessThanOrEqual(7);
    expect(() => engine.generate([1], { maxNewTokens: 1 })).toThrow(code("device-lost"));
    await load();
    expect(counted.devices()).toBe(devices + 1);
    await expectAnswer();
  });

  it("while a prompt is read fails the request", async () => {
    let submits = 0;
    counted.onSubmit(() => {
      submits += 1;
      if (submits === 2) counted.device().destroy();
    });
    const long = Array.from({ length: 60 }, (_, i) => i);
    await expect(engine.logits(long, "decode")).rejects.toEqual(code("device-lost"));
    counted.onSubmit(undefined);
    await load();
    await expectAnswer();
  });

  it("while a model is loaded fails the load, and the next one recovers", async () => {
    const loading = engine.load(files, {
      contextLength: 64,
      onProgress: ({ loadedBytes, totalBytes }) => {
        if (loadedBytes > totalBytes / 2) counted.device().destroy();
      },
    });
    await expect(loading).rejects.toEqual(code("device-lost"));
    expect(engine.info).toBeUndefined();
    await load();
    await expectAnswer();
  });

  it("between requests is told by the next one", async () => {
    counted.device().destroy();
    await expect(generate(engine, prompt.tokens, { maxNewTokens: 2 })).rejects.toEqual(code("device-lost"));
    await load();
    await expectAnswer();
  });
});
