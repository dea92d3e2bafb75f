import type { ModelConfig } from "../format/types.ts";
import type { BufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { attentionPartialsBytes } from "../kernels/attention/attention-sink-decode.ts";
import { kvCacheBytes } from "../kernels/attention/kv-cache.ts";
import { yarnRopeTable } from "../kernels/attention/rope-table.ts";
import { moeTileScratchBytes } from "../kernels/moe/moe-tile.ts";
import { candidateLayout } from "../kernels/sample/candidates.ts";
import { lmHeadCandidates } from "../kernels/sample/lm-head-vec.ts";
import { maxStopTokens, sampleResultBytes } from "../kernels/sample/sample-advance.ts";
import { stepBytes } from "../kernels/step.ts";
import type { PlanBuffers } from "./plan-types.ts";
import { attentionShape, lmHeadShape, moeShape, type PlanOptions, qkvWidth, queryWidth } from "./shapes.ts";

/** Buffers that a plan's kernels hand to one another. T is the most tokens of a pass. */
export interface Activations extends PlanBuffers {
  readonly x: GPUBuffer; // [T, H] f32, the residual stream
  readonly normed: GPUBuffer; // [T, H] f32
  readonly qkv: GPUBuffer; // [T, (Q+2K)*D] f32
  readonly q: GPUBuffer; // [T, Q*D] f32
  readonly attention: GPUBuffer; // [T, Q*D] f32
  readonly partials: GPUBuffer; // of split attention, one token
  readonly expertIds: GPUBuffer; // [T, A] u32
  readonly expertWeights: GPUBuffer; // [T, A] f32
  readonly routerLogits: GPUBuffer; // [E] f32, one token
  readonly routes: GPUBuffer; // [A] (expert, weight), one token
  readonly entries: GPUBuffer; // [T * A] u32
  readonly offsets: GPUBuffer; // [E + 1] u32
  readonly tiles: GPUBuffer; // tile map of moe-group
  readonly hidden: GPUBuffer; // [T * A, F] f32
  readonly expertOut: GPUBuffer; // [T * A, H] f32
  readonly candidates: GPUBuffer; // sampling candidates
  readonly rope: GPUBuffer; // [contextLength, D/2] of (cos, sin)
  readonly kv: readonly { readonly keys: GPUBuffer; readonly values: GPUBuffer }[]; // by layer
}

/** Allocates everything but weights; out-of-memory shows in `buffers.settled()`. @throws limit-exceeded */
export function allocateActivations(
  buffers: BufferSet,
  config: ModelConfig,
  options: PlanOptions,
): Activations {
  const T = options.maxTokensPerPass;
  const floats = (label: string, ...sizes: number[]) =>
    buffers.storage(
      label,
      sizes.reduce((product, size) => product * size, 4),
    );
  const moe = moeTileScratchBytes(moeShape(config, options), T);
  return {
    step: buffers.uniform("step", stepBytes),
    tokens: floats("tokens", T),
    stopTokens: floats("stop tokens", maxStopTokens + 1),
    allowed: floats("allowed ids", Math.ceil(config.vocabSize / 32)),
    result: buffers.storage("sample result", sampleResultBytes),
    logits: floats("logits", config.vocabSize),
    x: floats("residual", T, config.hiddenSize),
    normed: floats("normed", T, config.hiddenSize),
    qkv: floats("qkv", T, qkvWidth(config)),
    q: floats("q", T, queryWidth(config)),
    attention: floats("attention", T, queryWidth(config)),
    partials: buffers.storage("attention partials", attentionPartialsBytes(config, 1)),
    expertIds: floats("expert ids", T, config.expertsPerToken),
    expertWeights: floats("expert weights", T, config.expertsPerToken),
    routerLogits: floats("router logits", config.numExperts),
    routes: floats("routes", config.expertsPerToken, 2),
    entries: buffers.storage("moe entries", moe.entries),
    offsets: buffers.storage("moe offsets", moe.offsets),
    tiles: buffers.storage("moe tiles", moe.tiles),
    hidden: buffers.storage("moe hidden", moe.hidden),
    expertOut: buffers.storage("moe expert out", moe.expertOut),
    candidates: buffers.storage(
      "candidates",
      candidateLayout(lmHeadCandidates(lmHeadShape(config, options))).sizeBytes,
    ),
    rope: floats("rope table", options.contextLength, config.headDim),
    kv: config.layerTypes.map((layerType, layer) => {
      const sizeBytes = kvCacheBytes(attentionShape(config, layerType, options));
      return {
        keys: buffers.storage(`layer ${layer} keys`, sizeBytes),
        values: buffers.storage(`layer ${layer} values`, sizeBytes),
      };
    }),
  };
}

/** Fills the rotary table. */
export function writeRopeTable(
  gpu: Gpu,
  { rope }: Activations,
  config: ModelConfig,
  numPositions: number,
): void {
  const table = yarnRopeTable(config.rope, config.headDim, numPositions) as Float32Array<ArrayBuffer>;
  gpu.device.queue.writeBuffer(rope, 0, table);
}
