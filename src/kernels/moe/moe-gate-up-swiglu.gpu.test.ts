import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import type { Mxfp4Form } from "../../gpu/kernel.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16 } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { activationsFor } from "../../testing/int8-activations.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { tileTolerance } from "../../testing/tile-tolerance.ts";
import { tileTunings } from "../../testing/tile-tunings.ts";
import { type BoundPart, packBoundPart } from "../bound-part.ts";
import { expertGroups } from "../int8-activations.reference.ts";
import { rmsNormReference } from "../norm/rms-norm.reference.ts";
import { packStep, stepWords } from "../step.ts";
import { defaultTuning } from "../tuning.ts";
import {
  deinterleave,
  gateUpCases,
  groupForTest,
  interleave,
  type MoeCase,
  moeShape,
  promptCases,
  randomExperts,
  randomLogits,
  randomResidual,
  type TestExperts,
  unpackRoutes,
  vecRows,
  withFormats,
} from "./moe.cases.ts";
import { moeGateUpReference } from "./moe.reference.ts";
import { moeGateUpSwigluTile, moeGateUpSwigluTileGrid } from "./moe-gate-up-swiglu-tile.ts";
import { moeGateUpSwigluVec, moeGateUpSwigluVecGrid } from "./moe-gate-up-swiglu-vec.ts";
import type { MoeShape } from "./moe-shape.ts";
import { choiceReference } from "./router.reference.ts";

// Sums of up to 5760 products of size ~3 in f32 are off by a few 1e-6; the activation multiplies an error by at most
// |l + 1| <= 8 and its own slope of 1.1.
const tolerance = { absolute: 3e-5, relative: 5e-6 };

interface Setup {
  readonly form?: Mxfp4Form;
  readonly shape: MoeShape;
  readonly normed: Float32Array | Float64Array;
  readonly logits: Float32Array;
  readonly ids: Uint32Array;
  readonly weights: Float64Array;
  readonly experts: TestExperts;
  readonly expected: Float64Array;
  readonly part?: BoundPart;
}

function setUp(
  moeCase: MoeCase,
  format: MoeShape["expertFormat"],
  { tuning = defaultTuning, activations = "f32" }: Pick<MoeShape, "tuning" | "activations"> = {},
): Setup {
  const shape = { ...moeShape(moeCase, format), tuning, activations };
  const x = randomResidual(moeCase, 1);
  const gain = randomBf16(shape.hiddenSize, 2);
  const logits = randomLogits(moeCase, 3);
  const { ids, weights } = choiceReference(logits, shape);
  const experts = randomExperts(shape, 2 * shape.expertWidth, shape.hiddenSize, 4);
  const exact = rmsNormReference(x, gain.values, shape.eps);
  const { given: normed, taken } =
    activations === "f32"
      ? { given: exact, taken: exact }
      : activationsFor(activations, Float32Array.from(exact), shape.hiddenSize, expertGroups);
  const { expertsPerToken, swigluLimit } = shape;
  const expected = moeGateUpReference(taken, ids, experts, { expertsPerToken, limit: swigluLimit });
  return { shape, normed, logits, ids, weights, experts, expected };
}

describe.each(kernelVariants)("moe-gate-up-swiglu-vec (%s)", (variant) => {
  async function run(setup: Setup, step: ArrayBuffer, gridTokens: number) {
    const { shape, normed, logits, ids, experts } = setup;
    return runKernel(await testGpu(), {
      kernel: moeGateUpSwigluVec,
      shape,
      variant,
      ...(setup.form && { mxfp4: setup.form }),
      step,
      inputs: {
        inputs: interleave(normed, shape.hiddenSize),
        logits,
        blocks: experts.blocks,
        scales: experts.scales,
        bias: experts.biasBits,
        ...(setup.part && { part: packBoundPart(setup.part) }),
      },
      outputs: { hidden: ids.length * shape.expertWidth * 4, routes: ids.length * 8 },
      grid: moeGateUpSwigluVecGrid(shape, gridTokens),
    });
  }

  it.each(vecRows(gateUpCases))(
    "matches the float64 reference: $format $form, activations $activations, $name",
    async ({ format, form, activations, moeCase }) => {
      const setup = { ...setUp(moeCase, format, { activations }), form };
      const { numTokens } = moeCase;
      const { hidden, routes } = await run(setup, packStep({ position: 0, numTokens }), numTokens);
      const got = deinterleave(new Float32Array(hidden), setup.shape.expertWidth);
      expectClose(got, setup.expected, tolerance);
      const { ids, weights } = unpackRoutes(routes);
      expect(ids).toEqual(setup.ids);
      expectClose(weights, setup.weights, { absolute: 1e-6 }, "weights");
    },
  );

  // SwiftShader's subgroups have 4 lanes.
  it.each([5, 6, 7])("matches it where the last subgroup is not full: %i lanes", async (workgroupSize) => {
    const gateUpVec = { ...defaultTuning.gateUpVec, workgroupSize };
    const moeCase = gateUpCases.find(({ name }) => name === "the real width") as MoeCase;
    const setup = setUp(moeCase, "mxfp4", { tuning: { ...defaultTuning, gateUpVec } });
    const { numTokens } = moeCase;
    const { hidden } = await run(setup, packStep({ position: 0, numTokens }), numTokens);
    expectClose(deinterleave(new Float32Array(hidden), setup.shape.expertWidth), setup.expected, tolerance);
  });

  it("does the experts of its part alone, and routes all", async () => {
    const setup = setUp(gateUpCases[1] as MoeCase, "mxfp4");
    const { shape, experts, ids } = setup;
    const part = { first: 1, count: 2 };
    const rows = 2 * shape.expertWidth * (shape.hiddenSize / 32);
    const ofPart = (bytes: Uint8Array | Uint16Array, rowBytes: number) =>
      bytes.slice(part.first * rows * rowBytes, (part.first + part.count) * rows * rowBytes);
    const { hidden, routes } = await run(
      {
        ...setup,
        part,
        shape: { ...shape, isPart: true },
        experts: {
          ...experts,
          blocks: ofPart(experts.blocks, 16),
          scales: Uint8Array.from(ofPart(experts.scales, 1)),
        },
      },
      packStep({ position: 0, numTokens: 3 }),
      3,
    );
    const got = deinterleave(new Float32Array(hidden), shape.expertWidth);
    const words = new Uint32Array(hidden);
    const here = [...ids].map((id) => id === 1 || id === 2);
    expect(new Set(here).size).toBe(2);
    here.forEach((isHere, entry) => {
      const [begin, end] = [entry * shape.expertWidth, (entry + 1) * shape.expertWidth];
      if (isHere) expectClose(got.slice(begin, end), setup.expected.slice(begin, end), tolerance);
      else expect(new Set(words.slice(begin, end))).toEqual(new Set([poison]));
    });
    expect(unpackRoutes(routes).ids).toEqual(ids);
  });

  it("leaves tokens beyond num_tokens alone, and every token once stopped", async () => {
    const setup = setUp({ ...(gateUpCases[1] as MoeCase), numTokens: 3 }, "mxfp4");
    const { expertsPerToken, expertWidth } = setup.shape;
    const perToken = expertsPerToken * expertWidth;
    const step = packStep({ position: 0, numTokens: 2 });
    const some = await run(setup, step, 3);
    const hidden = new Uint32Array(some.hidden);
    expect([...hidden.slice(2 * perToken)]).toEqual(Array(perToken).fill(poison));
    expect(hidden[2 * perToken - 1]).not.toBe(poison);
    const routes = new Uint32Array(some.routes);
    expect([...routes.slice(4 * expertsPerToken)]).toEqual(Array(2 * expertsPerToken).fill(poison));
    expect(routes[4 * expertsPerToken - 1]).not.toBe(poison);
    new Uint32Array(step)[stepWords.stopped] = 1;
    const none = await run(setup, step, 3);
    expect(new Set(new Uint32Array(none.hidden))).toEqual(new Set([poison]));
    expect(new Set(new Uint32Array(none.routes))).toEqual(new Set([poison]));
  });
});

describe.each(await tileTunings())("moe-gate-up-swiglu-tile ($products)", ({ tuning }) => {
  async function run(setup: Setup, step: ArrayBuffer, gridTokens: number): Promise<ArrayBuffer> {
    const { shape, normed, ids, experts } = setup;
    const { hidden } = await runKernel(await testGpu(), {
      kernel: moeGateUpSwigluTile,
      shape,
      variant: "workgroup", // the kernel uses no reduction library: one text for both variants
      ...(setup.form && { mxfp4: setup.form }),
      step,
      inputs: {
        inputs: Float32Array.from(normed),
        ...groupForTest(shape, ids, gridTokens),
        blocks: experts.blocks,
        scales: experts.scales,
        bias: experts.biasBits,
      },
      outputs: { hidden: (ids.length + shape.expertsPerToken) * shape.expertWidth * 4 },
      grid: moeGateUpSwigluTileGrid(shape, gridTokens),
    });
    return hidden;
  }

  it.each(withFormats([...gateUpCases, ...promptCases]))(
    "matches the float64 reference: $format $form, $name",
    async (row) => {
      const setup = { ...setUp(row.moeCase, row.format, { tuning }), form: row.form };
      const { numTokens } = row.moeCase;
      const hidden = await run(setup, packStep({ position: 0, numTokens }), numTokens);
      const size = setup.expected.length;
      expectClose(
        new Float32Array(hidden, 0, size),
        setup.expected,
        tileTolerance(tolerance, tuning.moeTile, { inputSize: setup.shape.hiddenSize, spread: 8 }),
      );
      expect(new Set(new Uint32Array(hidden).slice(size))).toEqual(new Set([poison]));
    },
  );

  it("writes nothing once stopped", async () => {
    const setup = setUp(gateUpCases[1] as MoeCase, "mxfp4", { tuning });
    const step = packStep({ position: 0, numTokens: 3 });
    new Uint32Array(step)[stepWords.stopped] = 1;
    expect(new Set(new Uint32Array(await run(setup, step, 3)))).toEqual(new Set([poison]));
  });
});
