import { expect, it } from "vitest";
import { randomBytes } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { readBandwidthReference } from "./read-bandwidth.reference.ts";
import { readBandwidth, readBandwidthGrid, readBandwidthGroupSize } from "./read-bandwidth.ts";

it.each([
  { name: "fewer loads than invocations", numVecs: 100, numGroups: 1 },
  { name: "no multiple of the grid", numVecs: 5000, numGroups: 2 },
  { name: "several rounds of four loads", numVecs: 16 * 256, numGroups: 1 },
])("read-bandwidth > reads every word exactly once: $name", async ({ numVecs, numGroups }) => {
  const data = new Uint32Array(randomBytes(16 * numVecs, 1).buffer);
  const numInvocations = numGroups * readBandwidthGroupSize;
  const { sums } = await runKernel(await testGpu(), {
    kernel: readBandwidth,
    shape: { numVecs },
    variant: "workgroup",
    inputs: { data },
    outputs: { sums: 16 * numInvocations },
    grid: readBandwidthGrid(numGroups),
  });
  expect(new Uint32Array(sums)).toEqual(readBandwidthReference(data, numInvocations));
});
