// The profile of a pass, and a report without one where the adapter has no timestamps.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";
import { type LoadedModel, loadModel } from "../runtime/loaded-model.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { profilePass } from "./profile-model.ts";
import { runBench } from "./run-bench.ts";
import { createShapeFiles } from "./shapes.ts";

const ceiling = {
  ...{ bytesPerSecond: 1e9, operationsPerSecond: 1e9, bufferBytes: 1, method: "clock" as const },
};
const setting = { ceiling, loadSeconds: 1, kernelsChecked: [] };
let gpu: Gpu;
let model: LoadedModel;
beforeAll(async () => {
  gpu = await testGpu();
  model = await loadModel(gpu, createShapeFiles("toy"), { contextLength: 64 });
});
afterAll(() => model.destroy());

it.each([
  { pass: "decode" as const, numTokens: 1, position: 8 },
  { pass: "prefill" as const, numTokens: 4, position: 0 },
])("has every kernel of the pass: $pass", async (profiled) => {
  const { kernels } = await profilePass(gpu, model, profiled, ceiling);
  const steps = [...model.plan[profiled.pass], ...model.plan.head, ...model.plan.sample];
  const run = { numTokens: profiled.numTokens, maxKeys: profiled.position + profiled.numTokens };
  const dispatched = steps.filter((step) => !step.grid(run).includes(0));
  expect(new Set(kernels.map(({ kernel }) => kernel))).toEqual(
    new Set(dispatched.map(({ pipeline }) => pipeline.id)),
  );
  expect(kernels.map(({ kernel }) => kernel)).toContain("sample-advance");
});

it("is left out of the report where there are no timestamps", async () => {
  const { device } = gpu;
  const features = new Set([...device.features].filter((feature) => feature !== "timestamp-query"));
  const watched = new Proxy(device, {
    get: (target, name) => {
      if (name === "features") return features;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const options = { promptTokens: [4], decodeTokens: 2, runs: 1, profile: true };
  const report = await runBench({ ...gpu, device: watched }, model, setting, options);
  expect(report.decode.tokens).toBe(2);
  expect(report.profiles).toBeUndefined();
});
