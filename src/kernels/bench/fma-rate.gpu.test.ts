import { expect, it } from "vitest";
import { expectClose } from "../../testing/compare.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { fmaRateReference } from "./fma-rate.reference.ts";
import { fmaRate, fmaRateGrid, fmaRateGroupSize } from "./fma-rate.ts";

it.each([0, 1, 7])("fma-rate > matches the float64 reference after %i rounds", async (numRounds) => {
  const input = Float32Array.of(0.5, 0.75, -0.5, 1, 1, -2, 3, 0.25);
  const { out } = await runKernel(await testGpu(), {
    kernel: fmaRate,
    shape: { numRounds },
    variant: "workgroup",
    inputs: { input },
    outputs: { out: 2 * fmaRateGroupSize * 16 },
    grid: fmaRateGrid(2),
  });
  const expected = fmaRateReference(input, 2 * fmaRateGroupSize, numRounds);
  expect(new Set(expected).size).toBeGreaterThan(100);
  expectClose(new Float32Array(out), expected, { absolute: 1e-4, relative: 1e-6 });
});
