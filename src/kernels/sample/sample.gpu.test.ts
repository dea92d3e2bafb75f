// lm-head-vec and sample-advance: logits, masks, greedy and Gumbel-max sampling, the step state's way.
import { describe, expect, it } from "vitest";
import { type KernelVariant, kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal, toBf16 } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import type { DenseFormat } from "../linear/dense.ts";
import { packStep, stepWords } from "../step.ts";
import { lmHeadCandidates, lmHeadGrid, lmHeadVec } from "./lm-head-vec.ts";
import { argmaxReference, gumbelReference, lmHeadReference, scoresReference } from "./sample.reference.ts";
import { packStopTokens, sampleAdvance, sampleAdvanceGrid } from "./sample-advance.ts";

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
}

const cases: readonly Case[] = [
  { name: "one step", hiddenSize: 512, vocabSize: 64, numTokens: 1, scale: 1 },
  { name: "several steps, last of several tokens", hiddenSize: 1024, vocabSize: 40, numTokens: 3, scale: 1 },
  { name: "partial tiles", hiddenSize: 40, vocabSize: 321, numTokens: 2, scale: 1 },
  { name: "the real width", hiddenSize: 2880, vocabSize: 130, numTokens: 1, scale: 1 },
  { name: "int8, one step", hiddenSize: 512, vocabSize: 64, numTokens: 1, scale: 1, dense: "int8" },
  { name: "int8, partial tiles", hiddenSize: 96, vocabSize: 321, numTokens: 2, scale: 1, dense: "int8" },
  { name: "int8, the real width", hiddenSize: 2880, vocabSize: 130, numTokens: 1, scale: 3e4, dense: "int8" },
  { name: "a residual as large as 120b's", hiddenSize: 2880, vocabSize: 36, numTokens: 1, scale: 3e4 },
];

async function runLmHead(
  variant: KernelVariant,
  c: Case,
  sampling: { temperature: number; seed: number; draw: number; allowed: Uint32Array },
) {
  const x = randomNormal(c.numTokens * c.hiddenSize, 11, c.scale);
  const gain = randomBf16(c.hiddenSize, 12);
  const { dense = "bf16" } = c;
  const shape = { ...c, dense, eps };
  const weight = randomDense(dense, c.vocabSize * c.hiddenSize, 13, 0.05);
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
    outputs: { logits: c.vocabSize * 4, candidates: lmHeadCandidates(shape) * 8 },
    grid: lmHeadGrid(shape),
  });
  const last = x.slice((c.numTokens - 1) * c.hiddenSize);
  return {
    logits: new Float32Array(logits),
    candidates,
    expected: lmHeadReference(last, gain.values, weight.values, eps),
  };
}

async function runSample(
  variant: KernelVariant,
  candidates: ArrayBuffer,
  options: { stops?: number[]; step?: ArrayBuffer } = {},
) {
  const { state, tokens, result } = await runKernel(await testGpu(), {
    kernel: sampleAdvance,
    shape: { numCandidates: candidates.byteLength / 8 },
    variant,
    inputs: {
      state: new Uint8Array(options.step ?? packStep({ position: 7, numTokens: 3 })),
      candidates: new Uint8Array(candidates),
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
    const candidates = new Uint32Array([0, 5, 0, 9]);
    new Float32Array(candidates.buffer)[0] = 1;
    new Float32Array(candidates.buffer)[2] = 2;
    const stopped = await runSample(variant, candidates.buffer, { stops: [4, 9] });
    expect([...stopped.result]).toEqual([9, 1, 1, 0]);
    expect(stopped.state[stepWords.stopped]).toBe(1);
    const again = await runSample(variant, candidates.buffer, { stops: [4, 9], step: stopped.state.buffer });
    expect(again.state).toEqual(stopped.state);
    expect(again.tokens[0]).toBe(poison);
    expect(again.result[0]).toBe(poison);
  });

  it("gives ties to the lowest id, over more candidates than lanes", async () => {
    const ids = Uint32Array.from({ length: 1000 }, (_, i) => (i * 619) % 1000);
    const candidates = new Uint32Array(2000);
    const scores = new Float32Array(candidates.buffer);
    ids.forEach((id, i) => {
      scores[2 * i] = -5;
      candidates[2 * i + 1] = id;
    });
    const { result } = await runSample(variant, candidates.buffer);
    expect(result[0]).toBe(0);
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
      outputs: { logits: vocabSize * 4, candidates: lmHeadCandidates(shape) * 8 },
      grid: lmHeadGrid(shape),
    });
    const ids = new Uint32Array(candidates);
    const scores = new Float32Array(candidates);
    const count = lmHeadCandidates(shape);
    const got = Array.from({ length: count }, (_, i) => scores[2 * i] ?? Number.NaN);
    const expected = Array.from({ length: count }, (_, i) => gumbelReference(77, 5, ids[2 * i + 1] ?? 0));
    // WGSL's log is good to 2^-21 or 3 ulp.
    expectClose(got, expected, { absolute: 2e-6, relative: 2e-6 });
  });
});
