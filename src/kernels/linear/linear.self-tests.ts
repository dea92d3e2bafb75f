import type { Gpu } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { SelfTest, SelfTestTarget } from "../self-test.ts";
import { linearReference } from "./linear.reference.ts";
import { linearBf16Tile, linearTileGrid } from "./linear-bf16-tile.ts";
import { linearResidualBf16Vec, linearVecGrid } from "./linear-residual-bf16-vec.ts";

const inputSize = 2880;
const outputSize = 67;
// f32 sums over K of terms of size 1.
const tolerance = { absolute: Math.sqrt(inputSize) * 4e-6, relative: 1e-5 };

async function linear(gpu: Gpu, target: SelfTestTarget, form: "vec" | "tile") {
  const { variant, isSoftware, tuning } = target;
  const numTokens = form === "vec" ? 1 : 19;
  const x = randomNormal(numTokens * inputSize, 5);
  const weight = randomBf16(outputSize * inputSize, 6);
  const bias = randomBf16(outputSize, 7);
  const residual = randomNormal(numTokens * outputSize, 8);
  const shape = { inputSize, outputSize, tuning };
  const common = { variant, isSoftware, step: { position: 0, numTokens } };
  const dense = { weight: weight.bits, bias: bias.bits, out: residual };
  const { out } = await (form === "vec"
    ? runKernel(gpu, {
        ...{ kernel: linearResidualBf16Vec, shape, ...common },
        inputs: { x, ...dense },
        grid: linearVecGrid(shape, numTokens),
      })
    : runKernel(gpu, {
        ...{ kernel: linearBf16Tile, shape: { ...shape, addBias: true, addToOut: true }, ...common },
        inputs: { inputs: x, ...dense },
        grid: linearTileGrid(shape, numTokens),
      }));
  const expected = linearReference(x, weight.values, inputSize, { bias: bias.values, residual });
  expectClose(new Float32Array(out), expected, tolerance);
}

export const linearSelfTests: readonly SelfTest[] = [
  { kernel: linearResidualBf16Vec.id, run: (gpu, target) => linear(gpu, target, "vec") },
  { kernel: linearBf16Tile.id, run: (gpu, target) => linear(gpu, target, "tile") },
];
