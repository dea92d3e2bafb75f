import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import type { Mxfp4Form } from "../../gpu/kernel.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomNormal } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { activationsFor } from "../../testing/int8-activations.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { tileTolerance } from "../../testing/tile-tolerance.ts";
import { tileTunings } from "../../testing/tile-tunings.ts";
import { type BoundPart, packBoundPart } from "../bound-part.ts";
import { expertGroups } from "../int8-activations.reference.ts";
import { packStep, stepWords } from "../step.ts";
import { defaultTuning } from "../tuning.ts";
import {
  downCases,
  groupForTest,
  interleave,
  type MoeCase,
  moeShape,
  packRoutes,
  promptCases,
  randomExperts,
  randomResidual,
  randomRouting,
  type TestExperts,
  vecRows,
  withFormats,
} from "./moe.cases.ts";
import { moeCombineReference, moeDownReference } from "./moe.reference.ts";
import { moeCombine, moeCombineGrid } from "./moe-combine.ts";
import { moeDownTile, moeDownTileGrid } from "./moe-down-tile.ts";
import { moeDownVec, moeDownVecGrid } from "./moe-down-vec.ts";
import type { MoeShape } from "./moe-shape.ts";
import { decodeMxfp4Reference } from "./mxfp4.reference.ts";

// Sums of up to 5760 products of size ~3 in f32 are good to about 1e-5.
const tolerance = { absolute: 2e-5, relative: 1e-6 };

interface Setup {
  readonly form?: Mxfp4Form;
  readonly shape: MoeShape;
  readonly x: Float32Array;
  readonly hidden: Float32Array;
  readonly ids: Uint32Array;
  readonly weights: Float32Array;
  readonly experts: TestExperts;
  readonly expertOut: Float64Array;
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
  const { ids, weights } = randomRouting(moeCase, 2);
  const { given: hidden, taken } = activationsFor(
    activations,
    randomNormal(ids.length * shape.expertWidth, 3),
    shape.expertWidth,
    expertGroups,
  );
  const experts = randomExperts(shape, shape.hiddenSize, shape.expertWidth, 4);
  const expertOut = moeDownReference(taken, ids, experts);
  return {
    shape,
    x,
    hidden,
    ids,
    weights,
    experts,
    expertOut,
    expected: moeCombineReference(x, weights, expertOut),
  };
}

const mxfp4Forms: readonly Mxfp4Form[] = ["bits", "half"];

const stoppedStep = (numTokens: number): ArrayBuffer => {
  const step = packStep({ position: 0, numTokens });
  new Uint32Array(step)[stepWords.stopped] = 1;
  return step;
};

describe.each(kernelVariants)("moe-down-vec (%s)", (variant) => {
  async function run(setup: Setup, step: ArrayBuffer, gridTokens: number): Promise<Float32Array> {
    const { shape, x, hidden, ids, weights, experts } = setup;
    const out = await runKernel(await testGpu(), {
      kernel: moeDownVec,
      shape,
      variant,
      ...(setup.form && { mxfp4: setup.form }),
      step,
      inputs: {
        hidden: interleave(hidden, shape.expertWidth),
        routes: packRoutes(ids, weights),
        blocks: experts.blocks,
        scales: experts.scales,
        bias: experts.biasBits,
        x,
        ...(setup.part && { part: packBoundPart(setup.part) }),
      },
      grid: moeDownVecGrid(shape, gridTokens),
    });
    return new Float32Array(out.x);
  }

  it.each(vecRows(downCases))(
    "matches the float64 reference: $format $form, activations $activations, $name",
    async ({ format, form, activations, moeCase }) => {
      const setup = { ...setUp(moeCase, format, { activations }), form };
      const { numTokens } = moeCase;
      const got = await run(setup, packStep({ position: 0, numTokens }), numTokens);
      expectClose(got, setup.expected, tolerance);
    },
  );

  it.each(mxfp4Forms)("takes scales as they are: %s", async (form) => {
    // Expert e has scale byte 40 + e in all rows, token e has expert e and inputs that bring its sums back to about 1.
    const numExperts = 176;
    const base = { name: "scales", hiddenSize: 32, expertWidth: 32, expertsPerToken: 1 };
    const moeCase = { ...base, numExperts, numTokens: numExperts };
    const setup = setUp(moeCase, "mxfp4");
    const { x, experts } = setup;
    const scales = experts.scales.map((_, row) => 40 + Math.floor(row / 32));
    const ids = Uint32Array.from({ length: numExperts }, (_, e) => e);
    const hidden = setup.hidden.map((value, i) => value * 2 ** (127 - 40 - Math.floor(i / 32)));
    const values = decodeMxfp4Reference(Uint8Array.from(experts.blocks), scales);
    const weights = new Float32Array(numExperts).fill(1);
    const expertOut = moeDownReference(hidden, ids, { ...experts, values });
    const got = await run(
      { ...setup, form, hidden, ids, weights, experts: { ...experts, scales } },
      packStep({ position: 0, numTokens: numExperts }),
      numExperts,
    );
    expectClose(got, moeCombineReference(x, weights, expertOut), tolerance);
  });

  it("multiplies every code in every place with int8 activations", async () => {
    // Row r has code (place + r) % 16 at each place, token t a single input, at place t.
    const base = { name: "codes", hiddenSize: 32, expertWidth: 32, expertsPerToken: 1 };
    const setup = setUp({ ...base, numExperts: 1, numTokens: 32 }, "mxfp4", { activations: "int8" });
    const codeAt = (place: number) => ((place % 32) + Math.floor(place / 32)) % 16;
    const blocks = setup.experts.blocks.map((_, i) => codeAt(2 * i) | (codeAt(2 * i + 1) << 4));
    const scales = setup.experts.scales.fill(128);
    const hidden = Float32Array.from({ length: 32 * 32 }, (_, i) => (i % 33 === 0 ? 3 + i : 0));
    const values = decodeMxfp4Reference(Uint8Array.from(blocks), scales);
    const experts = { ...setup.experts, blocks, scales, values };
    const expertOut = moeDownReference(hidden, setup.ids, experts);
    const step = packStep({ position: 0, numTokens: 32 });
    const got = await run({ ...setup, hidden, experts }, step, 32);
    // The only input of a token is code 127: nothing is lost but to f32.
    const expected = moeCombineReference(setup.x, setup.weights, expertOut);
    expectClose(got, expected, { absolute: 1e-6, relative: 1e-6 });
  });

  it("adds the experts of its part alone", async () => {
    const setup = setUp(downCases[1] as MoeCase, "mxfp4");
    const { shape, experts, ids, weights, x, expertOut } = setup;
    const part = { first: 1, count: 2 };
    const blocksOf = shape.hiddenSize * (shape.expertWidth / 32);
    const [begin, end] = [part.first * blocksOf, (part.first + part.count) * blocksOf];
    const blocks = Uint8Array.from(experts.blocks.slice(begin * 16, end * 16));
    const scales = experts.scales.slice(begin, end);
    const step = packStep({ position: 0, numTokens: 3 });
    const got = await run(
      { ...setup, part, shape: { ...shape, isPart: true }, experts: { ...experts, blocks, scales } },
      step,
      3,
    );
    const own = weights.map((weight, entry) => (ids[entry] === 1 || ids[entry] === 2 ? weight : 0));
    expect(new Set(own.map((weight) => Math.sign(weight)))).toEqual(new Set([0, 1]));
    expectClose(got, moeCombineReference(x, own, expertOut), tolerance);
  });

  it("leaves tokens beyond num_tokens alone, and every token once stopped", async () => {
    const setup = setUp(downCases[1] as MoeCase, "mxfp4");
    const { x, shape } = setup;
    const some = await run(setup, packStep({ position: 0, numTokens: 2 }), 3);
    const end = 2 * shape.hiddenSize;
    expect(some.slice(end)).toEqual(x.slice(end));
    expectClose(some.slice(0, end), setup.expected.slice(0, end), tolerance);
    expect(await run(setup, stoppedStep(3), 3)).toEqual(x);
  });
});

describe.each(await tileTunings())("moe-down-tile ($products)", ({ tuning }) => {
  async function run(setup: Setup, step: ArrayBuffer, numTokens: number): Promise<ArrayBuffer> {
    const { shape, hidden, ids, experts } = setup;
    const { expertOut } = await runKernel(await testGpu(), {
      kernel: moeDownTile,
      shape,
      variant: "workgroup", // the kernel uses no reduction library: one text for both variants
      ...(setup.form && { mxfp4: setup.form }),
      step,
      inputs: {
        inputs: hidden,
        ...groupForTest(shape, ids, numTokens),
        blocks: experts.blocks,
        scales: experts.scales,
        bias: experts.biasBits,
      },
      outputs: { expertOut: (ids.length + shape.expertsPerToken) * shape.hiddenSize * 4 },
      grid: moeDownTileGrid(shape, numTokens),
    });
    return expertOut;
  }

  it.each(withFormats([...downCases, ...promptCases]))(
    "matches the float64 reference: $format $form, $name",
    async (row) => {
      const setup = { ...setUp(row.moeCase, row.format, { tuning }), form: row.form };
      const { numTokens } = row.moeCase;
      const got = await run(setup, packStep({ position: 0, numTokens }), numTokens);
      const size = setup.expertOut.length;
      expectClose(
        new Float32Array(got, 0, size),
        setup.expertOut,
        tileTolerance(tolerance, tuning.moeTile, { inputSize: setup.shape.expertWidth }),
      );
      expect(new Set(new Uint32Array(got).slice(size))).toEqual(new Set([poison]));
    },
  );

  it("writes nothing once stopped", async () => {
    const got = await run(setUp(downCases[1] as MoeCase, "mxfp4", { tuning }), stoppedStep(3), 3);
    expect(new Set(new Uint32Array(got))).toEqual(new Set([poison]));
  });
});

describe("moe-combine", () => {
  async function run(setup: Setup, step: ArrayBuffer, gridTokens: number): Promise<Float32Array> {
    const { shape, x, weights, expertOut } = setup;
    const out = await runKernel(await testGpu(), {
      kernel: moeCombine,
      shape,
      variant: "workgroup",
      step,
      inputs: { weights, expertOut: Float32Array.from(expertOut), x },
      grid: moeCombineGrid(shape, gridTokens),
    });
    return new Float32Array(out.x);
  }

  const wide: MoeCase = {
    name: "a wide residual",
    hiddenSize: 2880,
    expertWidth: 32,
    numExperts: 4,
    expertsPerToken: 4,
    numTokens: 3,
  };
  it.each([...downCases, ...promptCases, wide])("matches the float64 reference: $name", async (moeCase) => {
    const setup = setUp(moeCase, "mxfp4");
    const { numTokens } = moeCase;
    const got = await run(setup, packStep({ position: 0, numTokens }), numTokens);
    expectClose(got, setup.expected, { absolute: 2e-6, relative: 2e-7 });
  });

  it("leaves tokens beyond num_tokens alone, and every token once stopped", async () => {
    const setup = setUp(downCases[1] as MoeCase, "mxfp4");
    const end = 2 * setup.shape.hiddenSize;
    const some = await run(setup, packStep({ position: 0, numTokens: 2 }), 3);
    expect(some.slice(end)).toEqual(setup.x.slice(end));
    expectClose(some.slice(0, end), setup.expected.slice(0, end), { absolute: 2e-6, relative: 2e-7 });
    expect(await run(setup, stoppedStep(3), 3)).toEqual(setup.x);
  });
});
