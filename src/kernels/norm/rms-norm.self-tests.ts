import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { SelfTest } from "../self-test.ts";
import { rmsNormReference } from "./rms-norm.reference.ts";
import { rmsNorm, rmsNormGrid } from "./rms-norm.ts";

export const rmsNormSelfTests: readonly SelfTest[] = [
  {
    kernel: rmsNorm.id,
    async run(gpu, { variant, isSoftware }) {
      const shape = { hiddenSize: 2880, eps: 1e-5 };
      const x = randomNormal(3 * shape.hiddenSize, 1, 100);
      const gain = randomBf16(shape.hiddenSize, 2);
      const { out } = await runKernel(gpu, {
        ...{ kernel: rmsNorm, shape, variant, isSoftware },
        step: { position: 0, numTokens: 3 },
        inputs: { x, gain: gain.bits },
        outputs: { out: x.byteLength },
        grid: rmsNormGrid(3),
      });
      // f32 sums of 2880 squares.
      const expected = rmsNormReference(x, gain.values, shape.eps);
      expectClose(new Float32Array(out), expected, { absolute: 1e-6, relative: 1e-5 });
    },
  },
];
