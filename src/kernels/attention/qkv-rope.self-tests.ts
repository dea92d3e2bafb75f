import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { gainedFor } from "../../testing/int8-activations.ts";
import { expectRing, testRope } from "../../testing/kv-cache.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { SelfTest } from "../self-test.ts";
import { kvCacheBytes } from "./kv-cache.ts";
import { qkvRopeReference } from "./qkv-rope.reference.ts";
import { qkvRopeVec, qkvRopeVecGrid } from "./qkv-rope-vec.ts";

export const qkvRopeSelfTests: readonly SelfTest[] = [
  {
    kernel: qkvRopeVec.id,
    async run(gpu, { variant, isSoftware, tuning, kvFormat, dense, ...target }) {
      const activations = dense === "int8" ? target.activations : "f32";
      const shape = {
        ...{ hiddenSize: 2880, numHeads: 2, numKvHeads: 1, headDim: 64 },
        ...{ capacity: 16, eps: 1e-5, kvFormat, dense, activations, tuning },
      };
      const step = { position: 30, numTokens: 3 };
      const numRows = (shape.numHeads + 2 * shape.numKvHeads) * shape.headDim;
      const gain = randomBf16(shape.hiddenSize, 2);
      const x = gainedFor(activations, randomNormal(step.numTokens * shape.hiddenSize, 1), gain.values);
      const weight = randomDense(
        dense,
        { rows: numRows, columns: shape.hiddenSize },
        3,
        1 / Math.sqrt(shape.hiddenSize),
      );
      const bias = randomBf16(numRows, 4);
      const rope = testRope(shape.headDim, step.position + step.numTokens);
      const cacheBytes = kvCacheBytes(shape);
      const { q, keys, values } = await runKernel(gpu, {
        ...{ kernel: qkvRopeVec, shape, variant, isSoftware, step },
        inputs: { x, gain: gain.bits, weight: weight.stored, bias: bias.bits, rope },
        outputs: {
          q: step.numTokens * shape.numHeads * shape.headDim * 4,
          ...{ keys: cacheBytes, values: cacheBytes },
        },
        grid: qkvRopeVecGrid(shape, step.numTokens),
      });
      const { position } = step;
      const want = qkvRopeReference(
        { x, rope, gain: gain.values, weight: weight.values, bias: bias.values, position, eps: shape.eps },
        shape,
      );
      // f32 dot products of 2880 terms whose results are about 1.
      expectClose(new Float32Array(q), want.q, { absolute: 3e-6, relative: 2e-6 }, "q");
      expectRing(keys, want.k, { shape, position }, "keys");
      expectRing(values, want.v, { shape, position }, "values");
    },
  },
];
