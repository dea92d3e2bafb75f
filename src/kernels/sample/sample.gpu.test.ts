// lm-head-vec and sample-advance: logits, masks, greedy and Gumbel-max sampling, the step state's way.
import { describe, expect, it } from "vitest";
import { type KernelVariant, kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal, seededRandom, toBf16 } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { gainedFor } from "../../testing/int8-activations.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import type { ActivationFormat } from "../activation-format.ts";
import type { DenseFormat } from "../linear/dense.ts";
import { packStep, stepWords } from "../step.ts";
import { candidateLayout } from "./candidates.ts";
import { lmHeadCandidates, lmHeadGrid, lmHeadVec } from "./lm-head-vec.ts";
import { argmaxReference, gumbelReference, lmHeadReference, scoresReference } from "./sample.reference.ts";
import { maxStopTokens, packStopTokens, sampleAdvance, sampleAdvanceGrid } from "./sample-advance.ts";

const eps = 1e-5;
const everything = (vocabSize: number) => new Uint32Array(Math.ceil(vocabSize / 32)).fill(0xffffffff);
const isAllowed = (mask: Uint32Array, id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;

interface Case {
  readonly name: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly numTokens: number;
  readonly scale: number;
  /** Default bf16. */
  readonly dense?: DenseFormat;
  /** Default f32. */
  readonly activations?: ActivationFormat;
}

const cases: readonly Case[] = [
  { name: "one step", hiddenSize: 512, vocabSize: 64, numTokens: 1, scale: 1 },
  { name: "several steps, last of several tokens", hiddenSize: 1024, vocabSize: 40, numTokens: 3, scale: 1 },
  { name: "partial tiles", hiddenSize: 40, vocabSize: 321, numTokens: 2, scale: 1 },
  { name: "the real width", hiddenSize: 2880, vocabSize: 130, numTokens: 1, scale: 1 },
  { name: "int8, one step", hiddenSize: 512, vocabSize: 64, numTokens: 1, scale: 1, dense: "int8" },
  { name: "int8, partial tiles", hiddenSize: 96, vocabSize: 321, numTokens: 2, scale: 1, dense: "int8" },
  { name: "int8, the real width", hiddenSize: 2880, vocabSize: 130, numTokens: 1, scale: 3e4, dense: "int8" },
  {
    name: "int8 weights and activations, partial tiles",
    ...{ hiddenSize: 96, vocabSize: 321, numTokens: 2, scale: 1, dense: "int8", activations: "int8" },
  },
  {
    name: "int8 weights and activations, the real width",
    ...{ hiddenSize: 2880, vocabSize: 130, numTokens: 1, scale: 3e4, dense: "int8", activations: "int8" },
  },
  { name: "a residual as large as 120b's", hiddenSize: 2880, vocabSize: 36, numTokens: 1, scale: 3e4 },
];

async function runLmHead(
  variant: KernelVariant,
  c: Case,
  sampling: { temperature: number; seed: number; draw: number; allowed: Uint32Array },
) {
  const gain = randomBf16(c.hiddenSize, 12);
  const { dense = "bf16", activations = "f32" } = c;
  const x = gainedFor(activations, randomNormal(c.numTokens * c.hiddenSize, 11, c.scale), gain.values);
  const shape = { ...c, dense, eps };
  const weight = randomDense(dense, { rows: c.vocabSize, columns: c.hiddenSize }, 13, 0.05);
  const { logits, candidates } = await runKernel(await testGpu(), {
    kernel: lmHeadVec,
    shape,
    variant,
    step: {
      position: 0,
      numTokens: c.numTokens,
      numGenerated: sampling.draw,
      seed: sampling.seed,
      temperature: sampling.temperature,
    },
    inputs: { x, gain: gain.bits, weight: weight.stored, allowed: sampling.allowed },
    outputs: {
      logits: c.vocabSize * 4,
      candidates: candidateLayout(lmHeadCandidates(shape)).sizeBytes,
    },
    grid: lmHeadGrid(shape),
  });
  const last = x.slice((c.numTokens - 1) * c.hiddenSize);
  return {
    logits: new Float32Array(logits),
    candidates: { numCandidates: lmHeadCandidates(shape), bytes: candidates },
    expected: lmHeadReference(last, gain.values, weight.values, { eps, activations }),
  };
}

interface Candidates {
  readonly numCandidates: number;
  readonly bytes: ArrayBuffer;
}

/** Candidates as lm-head-vec leaves them, what nobody reads poisoned with a score and an id above all. */
function packCandidates(scores: ArrayLike<number>, ids: ArrayLike<number>): Candidates {
  const numCandidates = scores.length;
  const { idsAt, sizeBytes } = candidateLayout(numCandidates);
  const bytes = new ArrayBuffer(sizeBytes);
  const floats = new Float32Array(bytes).fill(3e38);
  const words = new Uint32Array(bytes);
  for (let i = 0; i < numCandidates; i += 1) {
    floats[i] = scores[i] ?? Number.NaN;
    words[idsAt + i] = ids[i] ?? 0;
  }
  return { numCandidates, bytes };
}

async function runSample(
  variant: KernelVariant,
  { numCandidates, bytes }: Candidates,
  options: { stops?: number[]; step?: ArrayBuffer } = {},
) {
  const { state, tokens, result } = await runKernel(await testGpu(), {
    kernel: sampleAdvance,
    shape: { numCandidates },
    variant,
    inputs: {
      state: new Uint8Array(options.step ?? packStep({ position: 7, numTokens: 3 })),
      candidates: new Uint8Array(bytes),
      stopTokens: packStopTokens(options.stops ?? []),
    },
    outputs: { tokens: 8, result: 16 },
    grid: sampleAdvanceGrid,
  });
  return { state: new Uint32Array(state), tokens: new Uint32Array(tokens), result: new Uint32Array(result) };
}

describe.each(kernelVariants)("lm-head-vec and sample-advance (%s)", (variant) => {
  it.each(cases)("logits match the float64 reference and greedy picks the best: $name", async (c) => {
    const allowed = everything(c.vocabSize);
    const { logits, candidates, expected } = await runLmHead(variant, c, {
      temperature: 0,
      seed: 0,
      draw: 0,
      allowed,
    });
    // f32 sums over H of normalised inputs times weights of 0.05.
    expectClose(logits, expected, { absolute: 2e-5, relative: 1e-5 });
    const { result, tokens, state } = await runSample(variant, candidates);
    expect(result[0]).toBe(argmaxReference(expected));
    expect(tokens[0]).toBe(result[0]);
    expect(tokens[1]).toBe(poison);
    expect([
      state[stepWords.position],
      state[stepWords.numTokens],
      state[stepWords.numGenerated],
      state[stepWords.stopped],
    ]).toEqual([10, 1, 1, 0]);
  });

  it("never picks an id outside the mask, even the best", async () => {
    const c = cases[2] as Case;
    const all = await runLmHead(variant, c, {
      temperature: 0,
      seed: 0,
      draw: 0,
      allowed: everything(c.vocabSize),
    });
    const best = argmaxReference(all.expected);
    const mask = everything(c.vocabSize);
    mask[best >>> 5] = (mask[best >>> 5] ?? 0) & ~(1 << (best & 31));
    const { candidates, expected } = await runLmHead(variant, c, {
      temperature: 0,
      seed: 0,
      draw: 0,
      allowed: mask,
    });
    const { result } = await runSample(variant, candidates);
    expect(result[0]).toBe(
      argmaxReference(
        scoresReference(expected, { temperature: 0, seed: 0, draw: 0, allowed: (id) => isAllowed(mask, id) }),
      ),
    );
    expect(result[0]).not.toBe(best);
  });

  it("samples what the reference samples, draw by draw", async () => {
    const c = cases[0] as Case;
    const picked = new Set<number>();
    for (let draw = 0; draw < 12; draw += 1) {
      const sampling = { temperature: 1.5, seed: 1234567, draw, allowed: everything(c.vocabSize) };
      const { candidates, expected } = await runLmHead(variant, c, sampling);
      const { result } = await runSample(variant, candidates);
      const scores = scoresReference(expected, { ...sampling, allowed: () => true });
      expect(result[0]).toBe(argmaxReference(scores));
      picked.add(result[0] ?? -1);
    }
    expect(picked.size).toBeGreaterThan(4);
  });

  it("stops on a stop token, and a stopped state stays as it is", async () => {
    const candidates = packCandidates([1, 2], [5, 9]);
    const stopped = await runSample(variant, candidates, { stops: [4, 9] });
    expect([...stopped.result]).toEqual([9, 1, 1, 0]);
    expect(stopped.state[stepWords.stopped]).toBe(1);
    const again = await runSample(variant, candidates, { stops: [4, 9], step: stopped.state.buffer });
    expect(again.state).toEqual(stopped.state);
    expect(again.tokens[0]).toBe(poison);
    expect(again.result[0]).toBe(poison);
  });

  it("takes the last of the stop tokens that a request may have", async () => {
    const stops = Array.from({ length: maxStopTokens }, (_, i) => 100 + i);
    const stopped = await runSample(variant, packCandidates([3, 2], [130, 131]), { stops });
    expect([...stopped.result]).toEqual([130, 1, 1, 0]);
    const goesOn = await runSample(variant, packCandidates([2, 3], [130, 131]), { stops });
    expect([...goesOn.result]).toEqual([131, 0, 1, 0]);
  });

  // Fewer than a vec4, partial ones, a lane's several rounds, and the published vocabulary by fours.
  it.each([1, 2, 3, 4, 5, 7, 1000, 1027, 9001, 50_272])("takes the best of %i candidates", async (count) => {
    const ids = Uint32Array.from({ length: count }, (_, i) => 3 * i + (i % 3));
    const random = seededRandom(count);
    for (const places of [[0], [count - 1], [Math.floor(count * random()), Math.floor(count * random())]]) {
      const scores = randomNormal(count, 21).map((score) => score - 50);
      for (const place of places) scores[place] = -20;
      const { result } = await runSample(variant, packCandidates(scores, ids));
      expect(result[0]).toBe(ids[Math.min(...places)]);
    }
  });

  it.each([
    ["equal", -5],
    ["masked", -3e38],
  ])("gives ties to the lowest id where all are %s", async (_, score) => {
    const ids = Uint32Array.from({ length: 1003 }, (_, i) => 7 + 4 * i);
    const { result } = await runSample(variant, packCandidates(new Float32Array(1003).fill(score), ids));
    expect(result[0]).toBe(7);
  });

  it("gives ties to the lowest id of a vec4, of a lane and of all lanes", async () => {
    const ids = Uint32Array.from({ length: 20_000 }, (_, i) => i);
    for (const tied of [
      [4097, 4098, 4099],
      [4 * 17 + 3, 4 * (17 + 1024) + 1, 4 * (17 + 2048)],
      [403, 402 + 256, 12_000, 19_999],
    ]) {
      const scores = new Float32Array(20_000).fill(-1);
      for (const place of tied) scores[place] = 0.5;
      expect((await runSample(variant, packCandidates(scores, ids))).result[0]).toBe(tied[0]);
    }
  });
});

describe("gumbel noise", () => {
  it("samples softmax: frequencies over 40,000 draws agree with the probabilities", () => {
    const logits = [2, 1, 0, -1, -3];
    const counts = logits.map(() => 0);
    const draws = 40_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const id = argmaxReference(
        scoresReference(logits, { temperature: 1, seed: 99, draw, allowed: () => true }),
      );
      counts[id] = (counts[id] ?? 0) + 1;
    }
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    logits.forEach((logit, id) => {
      const p = Math.exp(logit) / total;
      // Five standard deviations of a binomial.
      expect(Math.abs((counts[id] ?? 0) / draws - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / draws));
    });
  });

  it("is finite for every extreme of the hash", () => {
    const values = Array.from({ length: 100_000 }, (_, i) => gumbelReference(3, 0, i));
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it("in the kernel agrees with float64 over many ids", async () => {
    const vocabSize = 4096;
    const shape = { hiddenSize: 32, vocabSize, eps, dense: "bf16" } as const;
    const count = lmHeadCandidates(shape);
    const x = toBf16(new Float32Array(32)).values;
    const { candidates } = await runKernel(await testGpu(), {
      kernel: lmHeadVec,
      shape,
      variant: "workgroup",
      step: { position: 0, numTokens: 1, numGenerated: 5, seed: 77, temperature: 1 },
      inputs: {
        x: Float32Array.from(x),
        gain: new Uint16Array(32),
        weight: new Uint16Array(vocabSize * 32),
        allowed: everything(vocabSize),
      },
      outputs: { logits: vocabSize * 4, candidates: candidateLayout(count).sizeBytes },
      grid: lmHeadGrid(shape),
    });
    const ids = new Uint32Array(candidates);
    const scores = new Float32Array(candidates);
    const { idsAt } = candidateLayout(count);
    const got = scores.slice(0, count);
    const expected = Array.from({ length: count }, (_, i) => gumbelReference(77, 5, ids[idsAt + i] ?? 0));
    // WGSL's log is good to 2^-21 or 3 ulp.
    expectClose(got, expected, { absolute: 2e-6, relative: 2e-6 });
  });
});
