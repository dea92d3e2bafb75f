import type { Gpu } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { randomDense } from "../../testing/dense.ts";
import { gainedFor } from "../../testing/int8-activations.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { SelfTest, SelfTestTarget } from "../self-test.ts";
import { packStep, stepWords } from "../step.ts";
import { candidateLayout } from "./candidates.ts";
import { lmHeadCandidates, lmHeadGrid, lmHeadVec } from "./lm-head-vec.ts";
import { argmaxReference, lmHeadReference } from "./sample.reference.ts";
import { packStopTokens, sampleAdvance, sampleAdvanceGrid } from "./sample-advance.ts";

async function lmHead(gpu: Gpu, { variant, isSoftware, tuning, dense, ...target }: SelfTestTarget) {
  const activations = dense === "int8" ? target.activations : "f32";
  const shape = { hiddenSize: 2880, vocabSize: 131, eps: 1e-5, dense, activations, tuning };
  const gain = randomBf16(shape.hiddenSize, 12);
  const x = gainedFor(activations, randomNormal(shape.hiddenSize, 11), gain.values);
  const weight = randomDense(dense, { rows: shape.vocabSize, columns: shape.hiddenSize }, 13, 0.05);
  const expected = lmHeadReference(x, gain.values, weight.values, shape);
  const allowed = new Uint32Array(Math.ceil(shape.vocabSize / 32)).fill(0xffffffff);
  const { idsAt, sizeBytes } = candidateLayout(lmHeadCandidates(shape));
  const { logits, candidates } = await runKernel(gpu, {
    ...{ kernel: lmHeadVec, shape, variant, isSoftware },
    step: { position: 0, numTokens: 1, temperature: 0 },
    inputs: { x, gain: gain.bits, weight: weight.stored, allowed },
    outputs: { logits: shape.vocabSize * 4, candidates: sizeBytes },
    grid: lmHeadGrid(shape),
  });
  // f32 sums over H of normalised inputs times weights of 0.05.
  expectClose(new Float32Array(logits), expected, { absolute: 2e-5, relative: 1e-5 }, "logits");
  const best = argmaxReference(new Float32Array(candidates, 0, lmHeadCandidates(shape)));
  expectClose([new Uint32Array(candidates)[idsAt + best] ?? -1], [argmaxReference(expected)], exact, "best");
}

async function advance(gpu: Gpu, { variant, isSoftware }: SelfTestTarget) {
  const numCandidates = 50_271;
  const { idsAt, sizeBytes } = candidateLayout(numCandidates);
  const candidates = new Uint32Array(sizeBytes / 4);
  const scores = randomNormal(numCandidates, 1);
  new Float32Array(candidates.buffer).set(scores);
  for (let i = 0; i < numCandidates; i += 1) candidates[idsAt + i] = 4 * i + (i % 4);
  const { state, tokens, result } = await runKernel(gpu, {
    ...{ kernel: sampleAdvance, shape: { numCandidates }, variant, isSoftware },
    inputs: {
      state: new Uint8Array(packStep({ position: 7, numTokens: 3 })),
      candidates,
      stopTokens: packStopTokens([]),
    },
    outputs: { tokens: 4, result: 16 },
    grid: sampleAdvanceGrid,
  });
  const place = argmaxReference(scores);
  const best = 4 * place + (place % 4);
  expectClose([...new Uint32Array(tokens), ...new Uint32Array(result, 0, 1)], [best, best], exact, "token");
  expectClose([new Uint32Array(state)[stepWords.position] ?? 0], [10], exact, "position");
}

const exact = { absolute: 1e-9 };

export const sampleSelfTests: readonly SelfTest[] = [
  { kernel: lmHeadVec.id, run: lmHead },
  { kernel: sampleAdvance.id, run: advance },
];
