import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { rmsNormReference } from "./rms-norm.reference.ts";
import { rmsNorm, rmsNormGrid } from "./rms-norm.ts";

const eps = 1e-5;
const cases = [
  { name: "one step of the workgroup", hiddenSize: 1024, numTokens: 1, scale: 1 },
  { name: "several steps", hiddenSize: 4096, numTokens: 1, scale: 1 },
  { name: "a partial step", hiddenSize: 36, numTokens: 1, scale: 1 },
  { name: "several tokens of the real width", hiddenSize: 2880, numTokens: 5, scale: 1 },
  { name: "a residual as large as 120b's last layers", hiddenSize: 2880, numTokens: 2, scale: 3e4 },
  { name: "values near zero, where eps decides", hiddenSize: 2880, numTokens: 2, scale: 1e-4 },
];

describe.each(kernelVariants)("rms-norm (%s)", (variant) => {
  it.each(cases)("matches the float64 reference: $name", async ({ hiddenSize, numTokens, scale }) => {
    const gpu = await testGpu();
    const x = randomNormal(numTokens * hiddenSize, 1, scale);
    const gain = randomBf16(hiddenSize, 2);
    const { out } = await runKernel(gpu, {
      kernel: rmsNorm,
      shape: { hiddenSize, eps },
      variant,
      step: { position: 0, numTokens },
      inputs: { x, gain: gain.bits },
      outputs: { out: x.byteLength },
      grid: rmsNormGrid(numTokens),
    });
    // f32 sums of up to 4096 squares: relative error well under 1e-5.
    expectClose(new Float32Array(out), rmsNormReference(x, gain.values, eps), {
      absolute: 1e-6,
      relative: 1e-5,
    });
  });

  it("leaves tokens beyond num_tokens alone", async () => {
    const gpu = await testGpu();
    const x = randomNormal(2 * 64, 1);
    const { out } = await runKernel(gpu, {
      kernel: rmsNorm,
      shape: { hiddenSize: 64, eps },
      variant,
      step: { position: 0, numTokens: 1 },
      inputs: { x, gain: randomBf16(64, 2).bits },
      outputs: { out: x.byteLength },
      grid: rmsNormGrid(2),
    });
    expect([...new Uint32Array(out).slice(64)]).toEqual(Array(64).fill(poison));
  });
});
