import { describe, expect, it } from "vitest";
import { openGpu } from "../gpu/gpu.ts";
import { tuningCandidates, tuningKeys } from "../kernels/tuning-candidates.ts";
import { loadModel } from "../runtime/loaded-model.ts";
import { openCountedGpu } from "../testing/counted-gpu.ts";
import { fixture } from "../testing/engine.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { measureTuning } from "./tuner.ts";

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
    expect(counted.liveBuffers()).toBe(before);
    const candidates = tuningCandidates(base);
    for (const key of tuningKeys(base)) expect([base[key], ...candidates[key]]).toContainEqual(tuning[key]);
    // A clock that has run out before the first candidate: everything stays as it was.
    let calls = 0;
    expect(await measureTuning(gpu, input, () => 1e6 * calls++)).toEqual(base);
    model.destroy();
    gpu.destroy();
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
    expect([...values.values()]).toEqual([measured.sizes]);
    expect(await load()).toEqual({ source: "remembered", sizes: measured.sizes });
  });
});
