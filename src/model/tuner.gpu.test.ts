import { describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import { openGpu } from "../gpu/gpu.ts";
import { tuningCandidates, tuningKeys } from "../kernels/tuning-candidates.ts";
import { loadModel } from "../runtime/loaded-model.ts";
import { openCountedGpu } from "../testing/counted-gpu.ts";
import { fixture } from "../testing/engine.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { measureTuning } from "./tuner.ts";
import { mostModules } from "./tuner-trials.ts";

describe("measured tuning", () => {
  it("is made of candidates, leaves nothing allocated, and ends where its time is up", async () => {
    const counted = await openCountedGpu();
    const gpu = await openGpu(counted.gpu);
    const model = await loadModel(gpu, fixture("tiny-mxfp4", 0).files, { contextLength: 64 });
    const options = { ...model.planOptions, mxfp4: model.info.mxfp4 };
    const base = options.tuning;
    const input = { weights: model.weights, config: model.config, options };
    const before = counted.liveBuffers();
    const tuning = await measureTuning(gpu, input);
    expect(gpu.pipelines.size).toBeLessThanOrEqual(mostModules);
    expect(counted.liveBuffers()).toBe(before);
    const candidates = tuningCandidates(base);
    for (const key of tuningKeys) expect([base[key], ...candidates[key]]).toContainEqual(tuning[key]);
    // A clock that has run out before the first candidate: everything stays as it was.
    let calls = 0;
    expect(await measureTuning(gpu, input, { clock: () => 1e6 * calls++ })).toEqual(base);
    model.destroy();
    gpu.destroy();
  });

  it("ends in time where a kernel never compiles, and at once where the load is aborted", async () => {
    const gpu = await testGpu();
    const model = await loadModel(gpu, fixture("tiny-mxfp4", 0).files, { contextLength: 64 });
    const options = { ...model.planOptions, mxfp4: model.info.mxfp4 };
    const input = { weights: model.weights, config: model.config, options };
    const asked = new Set<string>();
    const never = new Promise<never>(() => {});
    const compile = ({ code }: { code: string }) => {
      asked.add(code);
      return never;
    };
    const stuck = { ...gpu, pipelines: { compile } } as unknown as typeof gpu;
    const started = performance.now();
    expect(await measureTuning(stuck, input)).toEqual(options.tuning);
    expect(performance.now() - started).toBeGreaterThan(1900);
    // What is under way when the time is over would hold up the model's own kernels: it is one row's, not every row's.
    expect(asked.size).toBeLessThanOrEqual(5);
    const stop = new AbortController();
    const measuring = measureTuning(stuck, input, { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    const abortedAt = performance.now();
    await expect(measuring).rejects.toMatchObject({ code: "aborted" });
    expect(performance.now() - abortedAt).toBeLessThan(1900);
    model.destroy();
  });

  it("leaves out candidates that do not compile here", async () => {
    const gpu = await testGpu();
    const known = new Set<string>();
    let refused = 0;
    let isLoaded = false;
    const compile: typeof gpu.pipelines.compile = async (source) => {
      if (!isLoaded) known.add(source.code);
      if (known.has(source.code)) return gpu.pipelines.compile(source);
      refused += 1;
      throw new EngineError("shader-compile", "No, says the test.");
    };
    const strict = { ...gpu, pipelines: { ...gpu.pipelines, compile } };
    const model = await loadModel(strict, fixture("tiny-mxfp4", 0).files, { contextLength: 64 });
    isLoaded = true;
    const options = { ...model.planOptions, mxfp4: model.info.mxfp4 };
    const input = { weights: model.weights, config: model.config, options };
    expect(await measureTuning(strict, input)).toEqual(options.tuning);
    expect(refused).toBeGreaterThan(5);
    model.destroy();
  });

  it("is part of a load that asks for it, and is remembered", async () => {
    const gpu = await testGpu();
    const values = new Map<string, unknown>();
    const settings = {
      get: async (key: string) => values.get(key),
      set: async (key: string, value: unknown) => void values.set(key, value),
    };
    const { files } = fixture("tiny-mxfp4", 0);
    const load = async () => {
      const model = await loadModel(gpu, files, { contextLength: 64, tune: "measure", settings });
      const { tuning } = model.info;
      model.destroy();
      return tuning;
    };
    const measured = await load();
    expect(measured.source).toBe("measured");
    expect(measured.seconds).toBeGreaterThan(0);
    expect([...values.values()]).toEqual([measured.sizes]);
    expect(await load()).toEqual({ source: "remembered", sizes: measured.sizes });
  });
});
