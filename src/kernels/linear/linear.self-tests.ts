import type { Gpu } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { activationsFor } from "../../testing/int8-activations.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { tileTolerance } from "../../testing/tile-tolerance.ts";
import { denseGroups } from "../int8-activations.reference.ts";
import type { SelfTest, SelfTestTarget } from "../self-test.ts";
import { linearReference } from "./linear.reference.ts";
import { linearResidualVec, linearVecGrid } from "./linear-residual-vec.ts";
import { linearTile, linearTileGrid, linearTileKey } from "./linear-tile.ts";

const inputSize = 2880;
const outputSize = 67;
// f32 sums over K of terms of size 1.
const tolerance = { absolute: Math.sqrt(inputSize) * 4e-6, relative: 1e-5 };

async function linear(gpu: Gpu, target: SelfTestTarget, form: "vec" | "tile") {
  const { variant, isSoftware, tuning, dense } = target;
  const activations = form === "vec" && dense === "int8" ? target.activations : "f32";
  const numTokens = form === "vec" ? 1 : 19;
  const { given: x, taken } = activationsFor(
    activations,
    randomNormal(numTokens * inputSize, 5),
    inputSize,
    denseGroups,
  );
  const weight = randomDense(dense, { rows: outputSize, columns: inputSize }, 6);
  const bias = randomBf16(outputSize, 7);
  const residual = randomNormal(numTokens * outputSize, 8);
  const shape = { inputSize, outputSize, dense, activations, tuning };
  const common = { variant, isSoftware, step: { position: 0, numTokens } };
  const weights = { weight: weight.stored, bias: bias.bits, out: residual };
  const { out } = await (form === "vec"
    ? runKernel(gpu, {
        ...{ kernel: linearResidualVec, shape, ...common },
        inputs: { x, ...weights },
        grid: linearVecGrid(shape, numTokens),
      })
    : runKernel(gpu, {
        ...{ kernel: linearTile, shape: { ...shape, addBias: true, addToOut: true }, ...common },
        inputs: { inputs: x, ...weights },
        grid: linearTileGrid(shape, numTokens),
      }));
  const expected = linearReference(taken, weight.values, inputSize, { bias: bias.values, residual });
  const sums = { inputSize, size: Math.sqrt(inputSize) };
  expectClose(
    new Float32Array(out),
    expected,
    form === "vec" ? tolerance : tileTolerance(tolerance, tuning[linearTileKey(dense)], sums),
  );
}

export const linearSelfTests: readonly SelfTest[] = [
  { kernel: linearResidualVec.id, run: (gpu, target) => linear(gpu, target, "vec") },
  { kernel: linearTile.id, run: (gpu, target) => linear(gpu, target, "tile") },
];
