// Both forms of the linear layer, linear-residual-vec and linear-tile, and both formats of its weights, over one table of cases.
import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { activationsFor, denseForms } from "../../testing/int8-activations.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { tileTolerance } from "../../testing/tile-tolerance.ts";
import { tileTunings } from "../../testing/tile-tunings.ts";
import { denseGroups } from "../int8-activations.reference.ts";
import { defaultTuning } from "../tuning.ts";
import { type DenseFormat, denseFormat } from "./dense.ts";
import { linearReference } from "./linear.reference.ts";
import { linearResidualVec, linearVecGrid } from "./linear-residual-vec.ts";
import { linearTile, linearTileGrid, linearTileKey } from "./linear-tile.ts";

const cases = [
  { name: "one step", inputSize: 512, outputSize: 64, numTokens: 1, scale: 1 },
  { name: "several steps", inputSize: 2048, outputSize: 64, numTokens: 2, scale: 1 },
  { name: "partial tiles everywhere", inputSize: 40, outputSize: 67, numTokens: 3, scale: 1 },
  {
    name: "partial tiles, an odd number of blocks a row",
    inputSize: 96,
    outputSize: 67,
    numTokens: 3,
    scale: 1,
  },
  { name: "more tokens than a tile", inputSize: 96, outputSize: 130, numTokens: 70, scale: 1 },
  { name: "real width 2880", inputSize: 2880, outputSize: 33, numTokens: 2, scale: 1 },
  { name: "real width 4096", inputSize: 4096, outputSize: 65, numTokens: 1, scale: 1 },
  { name: "real rows 5120", inputSize: 32, outputSize: 5120, numTokens: 1, scale: 1 },
  { name: "values as large as 120b's", inputSize: 256, outputSize: 32, numTokens: 2, scale: 2e4 },
];

/** The cases that a format can store. */
const casesOf = (dense: DenseFormat) =>
  cases.flatMap((c) => (denseFormat(dense, c.inputSize) === dense ? [{ ...c, dense }] : []));

function caseData(c: (typeof cases)[number] & { dense: DenseFormat }) {
  const x = randomNormal(c.numTokens * c.inputSize, 5, c.scale);
  const weight = randomDense(c.dense, { rows: c.outputSize, columns: c.inputSize }, 6);
  const bias = randomBf16(c.outputSize, 7, c.scale);
  const residual = randomNormal(c.numTokens * c.outputSize, 8, c.scale);
  // f32 sums over K of terms of size `scale`: the error grows with sqrt(K) and stays far below K ulps.
  const tolerance = { absolute: c.scale * Math.sqrt(c.inputSize) * 4e-6, relative: 1e-5 };
  return { x, weight, bias, residual, tolerance };
}

const forms = kernelVariants.flatMap((variant) => denseForms.map((form) => ({ variant, ...form })));

describe.each(forms)("linear-residual-vec ($dense, $activations, $variant)", (form) => {
  const { variant, dense, activations } = form;
  it.each(casesOf(dense))("matches the float64 reference: $name", async (c) => {
    const { x, weight, bias, residual, tolerance } = caseData(c);
    const { given, taken } = activationsFor(activations, x, c.inputSize, denseGroups);
    const { out } = await runKernel(await testGpu(), {
      kernel: linearResidualVec,
      shape: { ...c, activations },
      variant,
      step: { position: 0, numTokens: c.numTokens },
      inputs: { x: given, weight: weight.stored, bias: bias.bits, out: residual },
      grid: linearVecGrid(c, c.numTokens),
    });
    expectClose(
      new Float32Array(out),
      linearReference(taken, weight.values, c.inputSize, { bias: bias.values, residual }),
      tolerance,
    );
  });
});

it("linear-residual-vec writes more rows than a CPU adapter's workgroups mostly have invocations", async () => {
  const linearVec = { rows: 16, workgroupSize: 128 };
  const sizes = { inputSize: 40, outputSize: 67, numTokens: 2, scale: 1 };
  const c = { name: "", ...sizes, dense: "bf16", tuning: { ...defaultTuning, linearVec } } as const;
  const { x, weight, bias, residual, tolerance } = caseData(c);
  const { out } = await runKernel(await testGpu(), {
    ...{ kernel: linearResidualVec, shape: c, variant: "workgroup", isSoftware: true },
    step: { position: 0, numTokens: c.numTokens },
    inputs: { x, weight: weight.stored, bias: bias.bits, out: residual },
    grid: linearVecGrid(c, c.numTokens),
  });
  const want = linearReference(x, weight.values, c.inputSize, { bias: bias.values, residual });
  expectClose(new Float32Array(out), want, tolerance);
});

it("linear-residual-vec takes groups of inputs that int8 makes nothing of", async () => {
  const shape = { inputSize: 128, outputSize: 4, dense: "int8", activations: "int8" } as const;
  const weight = randomDense("int8", { rows: 4, columns: 128 }, 1);
  const zeros = new Float32Array(128);
  const run = async (x: Float32Array) => {
    const { out } = await runKernel(await testGpu(), {
      ...{ kernel: linearResidualVec, shape, variant: "workgroup", step: { position: 0, numTokens: 1 } },
      inputs: { x, weight: weight.stored, bias: new Uint16Array(4), out: new Float32Array(4).fill(3) },
      grid: linearVecGrid(shape, 1),
    });
    return [...new Float32Array(out)];
  };
  expect(await run(zeros)).toEqual([3, 3, 3, 3]);
  expect(await run(zeros.fill(1e-37))).toEqual([3, 3, 3, 3]);
  // A group with one number beside groups of zeros: code 127 stands for it exactly but for rounding.
  const one = new Float32Array(128);
  one[70] = 2;
  expectClose(
    await run(one),
    [0, 1, 2, 3].map((row) => 3 + 2 * (weight.values[128 * row + 70] ?? 0)),
    {
      absolute: 2e-6,
    },
  );
});

const flags = (await tileTunings()).flatMap((tiles) => [
  ...(tiles.products === "f32" // what is done with the sums does not depend on how they are made
    ? [
        { ...tiles, dense: "bf16" as const, addBias: false, addToOut: false },
        { ...tiles, dense: "bf16" as const, addBias: true, addToOut: false },
      ]
    : []),
  { ...tiles, dense: "bf16" as const, addBias: true, addToOut: true },
  { ...tiles, dense: "int8" as const, addBias: true, addToOut: true },
]);

describe.each(flags)("linear-tile ($products, $dense, bias $addBias, add $addToOut)", (row) => {
  const { dense, addBias, addToOut, tuning } = row;
  it.each(casesOf(dense))("matches the float64 reference: $name", async (c) => {
    const { x, weight, bias, residual, ...data } = caseData(c);
    const tolerance = tileTolerance(data.tolerance, tuning[linearTileKey(dense)], {
      inputSize: c.inputSize,
      size: c.scale * Math.sqrt(c.inputSize),
    });
    const { out } = await runKernel(await testGpu(), {
      kernel: linearTile,
      shape: { ...c, addBias, addToOut, tuning },
      variant: "workgroup",
      step: { position: 0, numTokens: c.numTokens },
      inputs: { inputs: x, weight: weight.stored, bias: bias.bits, ...(addToOut ? { out: residual } : {}) },
      outputs: { out: residual.byteLength },
      grid: linearTileGrid({ ...c, tuning }, c.numTokens),
    });
    const expected = linearReference(x, weight.values, c.inputSize, {
      ...(addBias ? { bias: bias.values } : {}),
      ...(addToOut ? { residual } : {}),
    });
    expectClose(new Float32Array(out), expected, tolerance);
  });
});

it("linear-tile leaves tokens beyond num_tokens alone", async () => {
  const { out } = await runKernel(await testGpu(), {
    kernel: linearTile,
    shape: { inputSize: 32, outputSize: 8, dense: "bf16", addBias: false, addToOut: false },
    variant: "workgroup",
    step: { position: 0, numTokens: 1 },
    inputs: { inputs: randomNormal(64, 1), weight: randomBf16(256, 2).bits, bias: new Uint16Array(8) },
    outputs: { out: 64 },
    grid: linearTileGrid({ outputSize: 8, dense: "bf16" }, 2),
  });
  expect([...new Uint32Array(out).slice(8)]).toEqual(Array(8).fill(poison));
});
