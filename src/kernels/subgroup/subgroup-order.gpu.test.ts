import { expect, it } from "vitest";
import { testGpu } from "../../testing/gpu-device.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { subgroupOrderReference } from "./subgroup-order.reference.ts";
import { subgroupOrder, subgroupOrderGrid } from "./subgroup-order.ts";

it.each([
  ["less than a subgroup of most adapters", 8],
  ["whole subgroups", 64],
  ["subgroups of which the last may not be full", 100],
])("subgroup-order > finds invocations in order: %s", async (_, workgroupSize) => {
  const gpu = await testGpu();
  const { seen } = await runKernel(gpu, {
    ...{ kernel: subgroupOrder, shape: { workgroupSize }, variant: "subgroups" },
    inputs: {},
    outputs: { seen: 32 * workgroupSize },
    grid: subgroupOrderGrid,
  });
  const [subgroupSize = 0] = new Uint32Array(seen);
  expect(subgroupSize).toBeGreaterThanOrEqual(gpu.adapter.subgroupMinSize);
  expect(subgroupSize).toBeLessThanOrEqual(gpu.adapter.subgroupMaxSize);
  expect(new Uint32Array(seen)).toEqual(subgroupOrderReference(workgroupSize, subgroupSize));
});
