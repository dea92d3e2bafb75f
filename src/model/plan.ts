import type { ModelConfig } from "../format/types.ts";
import type { BufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Mxfp4Form } from "../gpu/kernel.ts";
import { linearTile, linearTileGrid } from "../kernels/linear/linear-tile.ts";
import { rmsNorm, rmsNormGrid } from "../kernels/norm/rms-norm.ts";
import { lmHeadCandidates, lmHeadGrid, lmHeadVec } from "../kernels/sample/lm-head-vec.ts";
import { sampleAdvance, sampleAdvanceGrid } from "../kernels/sample/sample-advance.ts";
import { type Activations, writeRopeTable } from "./activations.ts";
import { decodeSteps } from "./decode-steps.ts";
import type { AllLogits, ModelPlan, PassRun } from "./plan-types.ts";
import { prefillSteps } from "./prefill-steps.ts";
import { lmHeadShape, type PlanOptions } from "./shapes.ts";
import { createStepBuilder, type StepBuilder } from "./step-builder.ts";
import type { ModelWeights } from "./weights.ts";

/** Bytes of the buffer for the logits of a whole pass; passes are cut so that they fit. */
const allLogitsBytes = 64 * 1024 * 1024;

/** What a plan binds: buffers that the GPU has accepted, in `buffers`. */
export interface PlanMemory {
  readonly buffers: BufferSet;
  readonly weights: ModelWeights;
  readonly act: Activations;
}

/**
 * Compiles and binds every pass of a model and fills the rotary table. The weights need not be there yet.
 * @throws limit-exceeded | shader-compile
 */
export async function createModelPlan(
  gpu: Gpu,
  { buffers, weights, act }: PlanMemory,
  config: ModelConfig,
  options: PlanOptions & { readonly mxfp4: Mxfp4Form },
): Promise<ModelPlan> {
  writeRopeTable(gpu, act, config, options.contextLength);
  const build = createStepBuilder(gpu, options);
  const passes = await buildPasses(build, config, weights, act, options);
  let all: Promise<AllLogits> | undefined;
  return {
    maxTokensPerPass: options.maxTokensPerPass,
    buffers: act,
    ...passes,
    allLogits() {
      all ??= allLogits(build, { buffers, weights, act }, config, options);
      all.catch(() => {
        all = undefined; // may be tried again
      });
      return all;
    },
  };
}

/** The passes of a plan, each in its order. */
export type Passes<Built> = { readonly [Pass in "prefill" | "decode" | "head" | "sample"]: readonly Built[] };

/** What `build` makes of every dispatch of a model. */
export async function buildPasses<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  weights: ModelWeights,
  act: Activations,
  options: PlanOptions,
): Promise<Passes<Built>> {
  const [prefill, decode, head, sample] = await Promise.all([
    prefillSteps(build, config, weights, act, options),
    decodeSteps(build, config, weights, act, options),
    headSteps(build, config, weights, act, options),
    sampleSteps(build, config, act, options),
  ]);
  return { prefill, decode, head, sample };
}

function headSteps<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  weights: ModelWeights,
  act: Activations,
  options: PlanOptions,
) {
  const { step, x, allowed, logits, candidates } = act;
  return Promise.all(
    weights.lmHead.map(({ buffer: weight, part, ...rows }, _, { length }) => {
      const shape = { ...lmHeadShape(config, options), ...(length > 1 && { part: rows }) };
      return build(
        lmHeadVec,
        shape,
        { step, x, gain: weights.finalNorm, weight, allowed, logits, candidates, part },
        (_run: PassRun) => lmHeadGrid(shape),
      );
    }),
  );
}

function sampleSteps<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  act: Activations,
  options: PlanOptions,
) {
  const { step: state, candidates, stopTokens, tokens, result } = act;
  const numCandidates = lmHeadCandidates(lmHeadShape(config, options));
  return Promise.all([
    build(
      sampleAdvance,
      { numCandidates },
      { state, candidates, stopTokens, tokens, result },
      () => sampleAdvanceGrid,
    ),
  ]);
}

async function allLogits(
  build: StepBuilder,
  { buffers, weights, act }: PlanMemory,
  config: ModelConfig,
  options: PlanOptions,
): Promise<AllLogits> {
  const { tuning } = options;
  const { hiddenSize, vocabSize, eps, dense } = lmHeadShape(config, options);
  const mostBytes = Math.min(allLogitsBytes, buffers.largestStorageBytes);
  const maxTokens = Math.max(1, Math.floor(mostBytes / (4 * vocabSize)));
  const buffer = buffers.storage("all logits", maxTokens * vocabSize * 4);
  await buffers.settled();
  const { step, x, normed } = act;
  const steps = await Promise.all([
    build(rmsNorm, { hiddenSize, eps }, { step, x, gain: weights.finalNorm, out: normed }, (run) =>
      rmsNormGrid(run.numTokens),
    ),
    ...weights.lmHead.map(({ buffer: weight, firstRow, numRows }) => {
      const linear = { inputSize: hiddenSize, outputSize: numRows, dense, tuning };
      const columns = { first: firstRow, stride: vocabSize };
      return build(
        linearTile,
        { ...linear, addBias: false, addToOut: false, columns },
        { step, inputs: normed, weight, bias: weights.finalNorm, out: buffer },
        (run) => linearTileGrid(linear, run.numTokens),
      );
    }),
  ]);
  return { steps, buffer, maxTokens };
}
