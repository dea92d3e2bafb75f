// Adapters that bind little: what does not fit is told from the description alone, and what must be split is.
import { describe, expect, it } from "vitest";
import { createSyntheticFiles, syntheticConfig } from "../bench/synthetic-files.ts";
import { openDawn } from "../desktop/dawn.ts";
import { expectClose } from "../testing/compare.ts";
import { openCountedGpu } from "../testing/counted-gpu.ts";
import { fixture, generate } from "../testing/engine.ts";
import { defaultLimits, withLimits } from "../testing/limited-gpu.ts";
import { referenceLogits } from "../testing/reference-model.ts";
import { tinyCheckpoint } from "../testing/tiny-checkpoint.ts";
import { readManifest } from "../weights/manifest.ts";
import { createEngine } from "./engine.ts";

const dawn = () => openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader");
const code = (expected: string) => expect.objectContaining({ name: "EngineError", code: expected });

it("tells from the description alone that this adapter cannot hold a model, and holds one that fits", async () => {
  const counted = await openCountedGpu();
  const engine = await createEngine(withLimits(counted.gpu, defaultLimits));
  const large = await readManifest(createSyntheticFiles(syntheticConfig("20b"), "20b"));
  expect(() => engine.checkFits(large)).not.toThrow();
  expect(() => engine.checkFits(large, { contextLength: 131072 })).toThrow(
    expect.objectContaining({
      code: "limit-exceeded",
      details: { buffer: "layer 1 keys", neededBytes: 131072 * 8 * 64 * 4, limitBytes: 128 * 1024 * 1024 },
    }),
  );
  expect(() => engine.checkFits(large, { contextLength: 2 ** 30 })).toThrow(code("request-invalid"));
  const { files, prompt } = fixture("tiny-bf16-experts", 0);
  const small = await readManifest(files);
  expect(() => engine.checkFits(small, { contextLength: 64 })).not.toThrow();
  expect(counted.madeBuffers()).toBe(0);
  await engine.load(files, { contextLength: 64 });
  expect(counted.liveBuffers()).toBeGreaterThan(40);
  // The device was opened with these limits: a kernel that needs more would not compile.
  expect(counted.device().limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  for (const path of ["prefill", "decode"] as const)
    expectClose(await engine.logits(prompt.tokens, path), prompt.logits, { absolute: 1e-3 }, path);
  engine.dispose();
  expect(() => engine.checkFits(small)).toThrow(code("disposed"));
});

describe("a model in parts", () => {
  it("agrees with transformers where each expert of bf16 weights is in a buffer with one other", async () => {
    const limitBytes = 50_000; // fused q, k and v need 49,152 bytes, gate_up 65,536
    const { files, prompt } = fixture("tiny-bf16-experts", 0);
    const counted = await openCountedGpu();
    const engine = await createEngine(withLimits(counted.gpu, { maxStorageBufferBindingSize: limitBytes }));
    const options = { contextLength: 40, maxTokensPerPass: 16 };
    await engine.load(files, options);
    const split = counted.liveBuffers();
    for (const path of ["prefill", "decode"] as const) {
      const got = await engine.logits(prompt.tokens, path);
      expectClose(got, prompt.logits, { absolute: 1e-3 }, `${path} logits`);
    }
    expect((await generate(engine, prompt.tokens, { maxNewTokens: prompt.greedy.length })).tokens).toEqual(
      prompt.greedy,
    );
    engine.dispose();
    const whole = await openCountedGpu();
    const plain = await createEngine(whole.gpu);
    await plain.load(files, options);
    const layers = 2;
    // gate_up of every layer has one more pair of buffers, and two say which experts the parts of all layers have.
    expect(split - whole.liveBuffers()).toBe(2 * layers + 2);
    plain.dispose();
  });

  it("gives the reference's logits, and whole weights' tokens, with the vocabulary and MXFP4 experts in parts", async () => {
    const limitBytes = 33_000; // 4 parts of the vocabulary, 3 of the experts, the last of which is shorter
    const { config, files, bytes } = tinyCheckpoint({
      numLayers: 2,
      hiddenSize: 64,
      intermediateSize: 32,
      numHeads: 4,
      numKvHeads: 2,
      headDim: 32,
      numExperts: 40,
      expertsPerToken: 3,
      slidingWindow: 8,
      vocabSize: 901,
    });
    const limits = { maxStorageBufferBindingSize: limitBytes };
    const engines = [await createEngine(withLimits(await dawn(), limits)), await createEngine(await dawn())];
    const [split, whole] = engines as [(typeof engines)[number], (typeof engines)[number]];
    const options = { contextLength: 48, maxTokensPerPass: 16 };
    await Promise.all(engines.map((engine) => engine.load(files, options)));
    const tokens = Array.from({ length: 19 }, (_, i) => (i * 719 + 3) % 901);
    const expected = referenceLogits(config, bytes, tokens);
    for (const path of ["prefill", "decode"] as const) {
      expectClose(await split.logits(tokens, path), expected, { absolute: 1e-3 }, `${path} logits`);
    }
    for (const temperature of [0, 1]) {
      const request = { maxNewTokens: 12, temperature, seed: 5 };
      const { tokens: got } = await generate(split, tokens, request);
      expect(got).toEqual((await generate(whole, tokens, request)).tokens);
      expect(new Set(got).size).toBeGreaterThan(3);
    }
    for (const engine of engines) engine.dispose();
  });
});
