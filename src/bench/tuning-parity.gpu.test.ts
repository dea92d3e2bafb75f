// Sizes decide speed alone: every candidate of the tuner gives what the references give.
import { describe, expect, it } from "vitest";
import { kernelVariants } from "../gpu/gpu.ts";
import { defaultTuning } from "../kernels/tuning.ts";
import { type TuningKey, tuningsToTry } from "../kernels/tuning-candidates.ts";
import { dryPlan } from "../testing/dry-plan.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { checkKernels, selfTests } from "./self-tests.ts";
import { createSyntheticFiles, syntheticConfig } from "./synthetic-files.ts";

/** The format of dense weights whose kernels read a row. */
const denseOf = (key: TuningKey) => (key.endsWith("Int8") ? "int8" : "bf16");

/** Kernels of which each row of a tuning changes the text: found by composing a plan with and without. */
async function kernelsByKey(): Promise<Map<TuningKey, Set<string>>> {
  const files = createSyntheticFiles(syntheticConfig("20b", 1), "20b");
  const bases = { bf16: await dryPlan(files), int8: await dryPlan(files, { dense: "int8" }) };
  const found = new Map<TuningKey, Set<string>>();
  for (const { key, tuning } of tuningsToTry(defaultTuning)) {
    const dense = denseOf(key);
    const { modules } = await dryPlan(files, { dense, tuning: { [key]: tuning[key] } });
    const changed = [...modules].filter(([code]) => !bases[dense].modules.has(code)).map(([, id]) => id);
    found.set(key, new Set([...(found.get(key) ?? []), ...changed]));
  }
  return found;
}

describe.each(kernelVariants)("every tuning that may be chosen (%s)", (variant) => {
  it("gives the references' results", async () => {
    const gpu = await testGpu();
    const byKey = await kernelsByKey();
    const tested = new Set<string>();
    for (const { key, tuning } of tuningsToTry(defaultTuning)) {
      const kernels = [...(byKey.get(key) ?? [])].filter((id) =>
        selfTests.some(({ kernel }) => kernel === id),
      );
      expect(kernels).not.toEqual([]);
      // Compiled as for a GPU on a CPU adapter too: there the sizes of workgroups would be overruled.
      const formats = { kvFormat: "f32", expertFormat: "mxfp4", activations: "f32" } as const;
      const target = { mxfp4: "bits", isSoftware: false, ...formats } as const;
      await checkKernels(gpu, kernels, { ...target, dense: denseOf(key), variant, tuning });
      for (const id of kernels) tested.add(id);
    }
    expect(tested.size).toBeGreaterThanOrEqual(8);
  });
});
