import { describe, expect, it } from "vitest";
import { tuningCandidates, tuningKeys } from "../kernels/tuning-candidates.ts";
import { loadModel } from "../runtime/loaded-model.ts";
import { fixture } from "../testing/engine.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { measureTuning } from "./tuner.ts";

describe("measured tuning", () => {
  it("is made of candidates, leaves nothing allocated, and keeps to its time", async () => {
    const gpu = await testGpu();
    const model = await loadModel(gpu, fixture("tiny-mxfp4", 0).files, { contextLength: 64 });
    const options = { ...model.planOptions, mxfp4: model.info.mxfp4 };
    const base = options.tuning;
    const input = { weights: model.weights, config: model.config, options };
    const tuning = await measureTuning(gpu, input);
    const candidates = tuningCandidates(base);
    for (const key of tuningKeys(base)) expect([base[key], ...candidates[key]]).toContainEqual(tuning[key]);
    // A clock that has run out before the first candidate: everything stays as it was.
    let calls = 0;
    expect(await measureTuning(gpu, input, () => 1e6 * calls++)).toEqual(base);
    model.destroy();
  });
});
