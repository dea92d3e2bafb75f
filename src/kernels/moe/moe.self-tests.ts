import type { Gpu } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { activationsFor } from "../../testing/int8-activations.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { tileTolerance } from "../../testing/tile-tolerance.ts";
import { expertGroups } from "../int8-activations.reference.ts";
import type { SelfTest, SelfTestTarget } from "../self-test.ts";
import {
  deinterleave,
  groupForTest,
  interleave,
  type MoeCase,
  moeShape,
  packRoutes,
  randomExperts,
  randomLogits,
  randomResidual,
  randomRouting,
  unpackRoutes,
} from "./moe.cases.ts";
import { moeCombineReference, moeDownReference, moeGateUpReference } from "./moe.reference.ts";
import { moeCombine, moeCombineGrid } from "./moe-combine.ts";
import { moeDownTile, moeDownTileGrid } from "./moe-down-tile.ts";
import { moeDownVec, moeDownVecGrid } from "./moe-down-vec.ts";
import { moeGateUpSwigluTile, moeGateUpSwigluTileGrid } from "./moe-gate-up-swiglu-tile.ts";
import { moeGateUpSwigluVec, moeGateUpSwigluVecGrid } from "./moe-gate-up-swiglu-vec.ts";
import { moeGroupReference } from "./moe-group.reference.ts";
import { moeGroup, moeGroupGrid } from "./moe-group.ts";
import { moeTileScratchBytes } from "./moe-tile.ts";
import { choiceReference, routerReference } from "./router.reference.ts";
import { routerTopk, routerTopkGrid } from "./router-topk.ts";
import { routerVec, routerVecGrid } from "./router-vec.ts";

const c = (name: string, hiddenSize: number, expertWidth: number, numTokens: number): MoeCase => ({
  ...{ name, hiddenSize, expertWidth, numTokens },
  ...{ numExperts: 5, expertsPerToken: 2 },
});
/** Rows of real length, few of them. */
const gateUpCase = c("gate and up", 2880, 64, 3);
const downCase = c("down", 64, 2880, 3);

// Sums of 2880 products of size ~3 in f32; the activation multiplies an error by at most 8 and its slope of 1.1.
const tolerance = { absolute: 3e-5, relative: 5e-6 };

const common = ({ variant, isSoftware, mxfp4 }: SelfTestTarget, { numTokens }: MoeCase) => ({
  ...{ variant, isSoftware, mxfp4 },
  step: { position: 0, numTokens },
});

const sizesAndForm = ({ tuning, expertFormat, activations }: SelfTestTarget, form: "vec" | "tile") => ({
  tuning,
  activations: form === "vec" && expertFormat === "mxfp4" ? activations : ("f32" as const),
});

function expertInputs(experts: ReturnType<typeof randomExperts>) {
  return { blocks: experts.blocks, scales: experts.scales, bias: experts.biasBits };
}

async function gateUp(gpu: Gpu, target: SelfTestTarget, form: "vec" | "tile") {
  const given = gateUpCase;
  const shape = { ...moeShape(given, target.expertFormat), ...sizesAndForm(target, form) };
  const { given: inputs, taken } = activationsFor(
    shape.activations,
    randomNormal(given.numTokens * shape.hiddenSize, 1),
    shape.hiddenSize,
    expertGroups,
  );
  const logits = randomLogits(given, 3);
  const { ids, weights } = choiceReference(logits, shape);
  const experts = randomExperts(shape, 2 * shape.expertWidth, shape.hiddenSize, 4);
  const hiddenBytes = ids.length * shape.expertWidth * 4;
  const { expertsPerToken, swigluLimit: limit } = shape;
  const expected = moeGateUpReference(Float64Array.from(taken), ids, experts, { expertsPerToken, limit });
  if (form === "vec") {
    const { hidden, routes } = await runKernel(gpu, {
      ...{ kernel: moeGateUpSwigluVec, shape, ...common(target, given) },
      inputs: { inputs: interleave(inputs, shape.hiddenSize), logits, ...expertInputs(experts) },
      outputs: { hidden: hiddenBytes, routes: ids.length * 8 },
      grid: moeGateUpSwigluVecGrid(shape, given.numTokens),
    });
    const got = unpackRoutes(routes);
    expectClose(got.ids, ids, { absolute: 1e-9 }, "ids");
    expectClose(got.weights, weights, { absolute: 2e-6 }, "weights");
    return expectClose(deinterleave(new Float32Array(hidden), shape.expertWidth), expected, tolerance);
  }
  const { hidden } = await runKernel(gpu, {
    ...{ kernel: moeGateUpSwigluTile, shape, ...common(target, given), outputs: { hidden: hiddenBytes } },
    inputs: { inputs, ...groupForTest(shape, ids, given.numTokens), ...expertInputs(experts) },
    grid: moeGateUpSwigluTileGrid(shape, given.numTokens),
  });
  expectClose(
    new Float32Array(hidden),
    expected,
    tileTolerance(tolerance, target.tuning.moeTile, { inputSize: shape.hiddenSize, spread: 8 }),
  );
}

async function down(gpu: Gpu, target: SelfTestTarget, form: "vec" | "tile") {
  const given = downCase;
  const shape = { ...moeShape(given, target.expertFormat), ...sizesAndForm(target, form) };
  const x = randomResidual(given, 1);
  const { ids, weights } = randomRouting(given, 2);
  const { given: hidden, taken } = activationsFor(
    shape.activations,
    randomNormal(ids.length * shape.expertWidth, 3),
    shape.expertWidth,
    expertGroups,
  );
  const experts = randomExperts(shape, shape.hiddenSize, shape.expertWidth, 4);
  const expertOut = moeDownReference(taken, ids, experts);
  if (form === "vec") {
    const out = await runKernel(gpu, {
      ...{ kernel: moeDownVec, shape, ...common(target, given) },
      inputs: {
        hidden: interleave(hidden, shape.expertWidth),
        ...{ routes: packRoutes(ids, weights), ...expertInputs(experts), x },
      },
      grid: moeDownVecGrid(shape, given.numTokens),
    });
    return expectClose(new Float32Array(out.x), moeCombineReference(x, weights, expertOut), tolerance);
  }
  const out = await runKernel(gpu, {
    ...{ kernel: moeDownTile, shape, ...common(target, given) },
    inputs: { inputs: hidden, ...groupForTest(shape, ids, given.numTokens), ...expertInputs(experts) },
    outputs: { expertOut: expertOut.length * 4 },
    grid: moeDownTileGrid(shape, given.numTokens),
  });
  expectClose(
    new Float32Array(out.expertOut),
    expertOut,
    tileTolerance(tolerance, target.tuning.moeTile, { inputSize: shape.expertWidth }),
  );
}

async function combine(gpu: Gpu, target: SelfTestTarget) {
  const shape = moeShape(downCase, "mxfp4");
  const x = randomResidual(downCase, 1);
  const { ids, weights } = randomRouting(downCase, 2);
  const expertOut = randomNormal(ids.length * shape.hiddenSize, 3);
  const out = await runKernel(gpu, {
    ...{ kernel: moeCombine, shape, ...common(target, downCase) },
    inputs: { weights, expertOut, x },
    grid: moeCombineGrid(shape, downCase.numTokens),
  });
  const expected = moeCombineReference(x, weights, Float64Array.from(expertOut));
  expectClose(new Float32Array(out.x), expected, { absolute: 2e-6, relative: 2e-7 });
}

async function group(gpu: Gpu, target: SelfTestTarget) {
  const given: MoeCase = { ...c("routing", 32, 32, 400), numExperts: 128, expertsPerToken: 4 };
  const shape = { ...given, tuning: target.tuning };
  const { ids } = randomRouting(given, 3);
  const bytes = moeTileScratchBytes(shape, given.numTokens);
  const got = await runKernel(gpu, {
    ...{ kernel: moeGroup, shape, ...common(target, given) },
    inputs: { ids },
    outputs: { entries: bytes.entries, offsets: bytes.offsets, tiles: bytes.tiles },
    grid: moeGroupGrid,
  });
  const want = moeGroupReference(ids, given.numExperts, target.tuning.moeTile.tileTokens);
  const exact = { absolute: 1e-9 };
  expectClose(new Uint32Array(got.entries), want.entries, exact, "entries");
  expectClose(new Uint32Array(got.offsets), want.offsets, exact, "offsets");
  const tiles = want.tiles.flatMap((tile) => [...tile, 0]);
  expectClose(new Uint32Array(got.tiles).slice(0, tiles.length), tiles, exact, "tiles");
}

function routerCase() {
  const given: MoeCase = { ...c("router", 2880, 32, 3), numExperts: 32, expertsPerToken: 4 };
  const shape = moeShape(given, "mxfp4");
  const x = randomResidual(given, 1);
  const gain = randomBf16(given.hiddenSize, 2);
  const router = randomBf16(given.numExperts * given.hiddenSize, 3, 2 / Math.sqrt(given.hiddenSize));
  const bias = randomBf16(given.numExperts, 4);
  const want = routerReference({ ...shape, x, gain: gain.values, router: router.values, bias: bias.values });
  return { given, shape, x, want, bits: { gain: gain.bits, router: router.bits, bias: bias.bits } };
}

async function route(gpu: Gpu, target: SelfTestTarget) {
  const { given, shape, x, want, bits } = routerCase();
  const outputBytes = given.numTokens * given.expertsPerToken * 4;
  const got = await runKernel(gpu, {
    ...{ kernel: routerTopk, shape, ...common(target, given) },
    inputs: { x, ...bits },
    outputs: { ids: outputBytes, weights: outputBytes, normed: x.byteLength },
    grid: routerTopkGrid(given.numTokens),
  });
  expectClose(new Uint32Array(got.ids), want.ids, { absolute: 1e-9 }, "ids");
  expectClose(new Float32Array(got.weights), want.weights, { absolute: 2e-6 }, "weights");
  expectClose(new Float32Array(got.normed), want.normed, { absolute: 1e-6, relative: 1e-5 }, "normed");
}

async function routeFew(gpu: Gpu, target: SelfTestTarget) {
  const { given, shape, x, want, bits } = routerCase();
  const got = await runKernel(gpu, {
    ...{ kernel: routerVec, shape, ...common(target, given) },
    inputs: { x, gain: bits.gain, weight: bits.router, bias: bits.bias },
    outputs: { logits: want.logits.length * 4, normed: x.byteLength },
    grid: routerVecGrid(shape, given.numTokens),
  });
  const normed = deinterleave(new Float32Array(got.normed), shape.hiddenSize);
  expectClose(new Float32Array(got.logits), want.logits, { absolute: 5e-6, relative: 1e-6 }, "logits");
  expectClose(normed, want.normed, { absolute: 1e-6, relative: 1e-5 }, "normed");
}

export const moeSelfTests: readonly SelfTest[] = [
  { kernel: routerTopk.id, run: route },
  { kernel: routerVec.id, run: routeFew },
  { kernel: moeGroup.id, run: group },
  { kernel: moeGateUpSwigluVec.id, run: (gpu, target) => gateUp(gpu, target, "vec") },
  { kernel: moeGateUpSwigluTile.id, run: (gpu, target) => gateUp(gpu, target, "tile") },
  { kernel: moeDownVec.id, run: (gpu, target) => down(gpu, target, "vec") },
  { kernel: moeDownTile.id, run: (gpu, target) => down(gpu, target, "tile") },
  { kernel: moeCombine.id, run: combine },
];
