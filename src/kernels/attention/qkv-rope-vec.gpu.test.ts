import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { denseForms, gainedFor } from "../../testing/int8-activations.ts";
import { expectRing, poisonedKv, testRope } from "../../testing/kv-cache.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import type { ActivationFormat } from "../activation-format.ts";
import type { DenseFormat } from "../linear/dense.ts";
import { kvCacheBytes } from "./kv-cache.ts";
import { qkvRopeReference } from "./qkv-rope.reference.ts";
import { type QkvRopeShape, qkvRopeVec, qkvRopeVecGrid } from "./qkv-rope-vec.ts";

const heads = (numHeads: number, numKvHeads: number, headDim: number) => ({ numHeads, numKvHeads, headDim });
const f32Cache = { kvFormat: "f32", capacity: 16, eps: 1e-5 } as const;
const f16Cache = { ...f32Cache, kvFormat: "f16" } as const;
const real = { hiddenSize: 2880, ...heads(2, 1, 64) };
const cases = [
  { name: "one step", ...f32Cache, hiddenSize: 512, ...heads(2, 1, 64), position: 0, numTokens: 1, scale: 1 },
  {
    name: "several steps",
    ...f32Cache,
    hiddenSize: 1536,
    ...heads(2, 2, 32),
    position: 3,
    numTokens: 1,
    scale: 1,
  },
  {
    name: "a partial step",
    ...f32Cache,
    hiddenSize: 96,
    ...heads(5, 1, 32),
    position: 3,
    numTokens: 1,
    scale: 1,
  },
  {
    name: "several tokens across the ring's end",
    ...f32Cache,
    ...real,
    position: 30,
    numTokens: 5,
    scale: 1,
  },
  {
    name: "a residual as large as 120b's last layers",
    ...f32Cache,
    ...real,
    position: 9,
    numTokens: 1,
    scale: 3e4,
  },
  {
    name: "values near zero, where eps decides",
    ...f32Cache,
    ...real,
    position: 9,
    numTokens: 1,
    scale: 1e-4,
  },
  { name: "f16 cache", ...f16Cache, ...real, position: 30, numTokens: 3, scale: 1 },
  {
    name: "gpt-oss's heads",
    ...f16Cache,
    hiddenSize: 64,
    ...heads(64, 8, 64),
    position: 5,
    numTokens: 1,
    scale: 1,
  },
];

type Case = (typeof cases)[number] & {
  readonly dense: DenseFormat;
  readonly activations: ActivationFormat;
};

function dataFor(given: Case) {
  const { dense, hiddenSize, numHeads, numKvHeads, headDim, position, numTokens, scale } = given;
  const numRows = (numHeads + 2 * numKvHeads) * headDim;
  const gain = randomBf16(hiddenSize, 2);
  return {
    x: gainedFor(given.activations, randomNormal(numTokens * hiddenSize, 1, scale), gain.values),
    gain,
    weight: randomDense(dense, { rows: numRows, columns: hiddenSize }, 3, 1 / Math.sqrt(hiddenSize)),
    bias: randomBf16(numRows, 4),
    rope: testRope(headDim, position + numTokens),
  };
}

function run(
  shape: QkvRopeShape,
  given: Case,
  variant: (typeof kernelVariants)[number],
  step: ArrayBuffer | Case,
  gain?: Uint16Array,
) {
  const data = dataFor(given);
  return testGpu().then((gpu) =>
    runKernel(gpu, {
      kernel: qkvRopeVec,
      shape,
      variant,
      step,
      inputs: { ...data, gain: gain ?? data.gain.bits, weight: data.weight.stored, bias: data.bias.bits },
      outputs: {
        q: given.numTokens * given.numHeads * given.headDim * 4,
        keys: kvCacheBytes(shape),
        values: kvCacheBytes(shape),
      },
      grid: qkvRopeVecGrid(shape, given.numTokens),
    }),
  );
}

function reference(given: Case) {
  const data = dataFor(given);
  const { position, eps } = given;
  return qkvRopeReference(
    { ...data, gain: data.gain.values, weight: data.weight.values, bias: data.bias.values, position, eps },
    given,
  );
}

const forms = kernelVariants.flatMap((variant) => denseForms.map((form) => ({ variant, ...form })));

describe.each(forms)("qkv-rope-vec ($dense, $activations, $variant)", ({ variant, dense, activations }) => {
  it.each(cases)("matches the float64 reference: $name", async (c) => {
    const given = { ...c, dense, activations };
    const { q, keys, values } = await run(given, given, variant, given);
    const want = reference(given);
    // f32 dot products of up to 2880 terms whose results are about 1, in 64 partial sums.
    expectClose(new Float32Array(q), want.q, { absolute: 3e-6, relative: 2e-6 }, "q");
    expectRing(keys, want.k, { shape: given, position: given.position }, "keys");
    expectRing(values, want.v, { shape: given, position: given.position }, "values");
  });

  it("reads no gain past the last, where int8 rows are padded", async () => {
    const given = { ...cases[2], ...{ dense, activations } } as Case;
    const { gain } = dataFor(given);
    const withNan = new Uint16Array(given.hiddenSize + 32).fill(0x7fc0);
    withNan.set(gain.bits);
    const { q } = await run(given, given, variant, given, withNan);
    expectClose(new Float32Array(q), reference(given).q, { absolute: 3e-6, relative: 2e-6 }, "q");
  });

  it("leaves tokens beyond num_tokens alone, and everything once stopped", async () => {
    const given: Case = {
      name: "",
      ...{ dense, activations },
      ...f32Cache,
      hiddenSize: 96,
      ...heads(2, 1, 32),
      position: 5,
      numTokens: 2,
      scale: 1,
    };
    const partial = await run(given, given, variant, { ...given, numTokens: 1 });
    const want = reference(given);
    expectRing(partial.keys, want.k.slice(0, 32), { shape: given, position: 5 }, "keys");
    expect([...new Uint32Array(partial.q).slice(64)]).toEqual(Array(64).fill(poison));
    const stopped = await run(given, given, variant, new Uint32Array([5, 2, 1, 0, 0, 0, 0, 0]).buffer);
    expect([...new Uint32Array(stopped.q)]).toEqual(Array(128).fill(poison));
    expect(new Uint8Array(stopped.keys)).toEqual(poisonedKv(given));
    expect(new Uint8Array(stopped.values)).toEqual(poisonedKv(given));
  });
});
