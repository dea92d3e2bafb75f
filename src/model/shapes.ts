import type { LayerType, ModelConfig } from "../format/types.ts";
import type { KernelVariant } from "../gpu/gpu.ts";
import type { ActivationFormat } from "../kernels/activation-format.ts";
import type { AttentionShape } from "../kernels/attention/attention-shape.ts";
import { type KvFormat, kvCapacity } from "../kernels/attention/kv-cache.ts";
import { type DenseFormat, denseFormat } from "../kernels/linear/dense.ts";
import type { MoeShape } from "../kernels/moe/moe-shape.ts";
import type { LmHeadShape } from "../kernels/sample/lm-head-vec.ts";
import type { KernelTuning } from "../kernels/tuning.ts";

/** What a plan is made for, beside the model. */
export interface PlanOptions {
  /** Positions that the KV cache and the rotary table hold. */
  readonly contextLength: number;
  readonly kvFormat: KvFormat;
  /** Attention's projections and lm_head. */
  readonly dense: DenseFormat;
  /** What decoding multiplies with int8 and MXFP4 weights. */
  readonly activations: ActivationFormat;
  readonly variant: KernelVariant;
  /** Most tokens of one pass: activations are allocated for it. */
  readonly maxTokensPerPass: number;
  readonly tuning: KernelTuning;
}

/** Most positions that decoding may have written beyond the one it goes back to: rings of keys have room for them. */
export const maxRewind = 3;

/**
 * The attention shape of a layer type. A sliding layer keeps a ring of keys, a full one all of them; a window is never
 * longer than the context.
 */
export function attentionShape(
  config: ModelConfig,
  layerType: LayerType,
  options: PlanOptions,
): AttentionShape {
  const window = layerType === "sliding" ? Math.min(config.slidingWindow, options.contextLength) : 0;
  return {
    numHeads: config.numHeads,
    numKvHeads: config.numKvHeads,
    headDim: config.headDim,
    kvFormat: options.kvFormat,
    window,
    capacity: kvCapacity(window, Math.max(options.maxTokensPerPass, maxRewind), options.contextLength),
  };
}

/** The shape of the mixture of experts. */
export const moeShape = (config: ModelConfig, { tuning }: Pick<PlanOptions, "tuning">): MoeShape => ({
  hiddenSize: config.hiddenSize,
  expertWidth: config.intermediateSize,
  numExperts: config.numExperts,
  expertsPerToken: config.expertsPerToken,
  expertFormat: config.expertFormat,
  eps: config.rmsNormEps,
  swigluLimit: config.swigluLimit,
  tuning,
});

/** Q * D, the width of queries and of attention's output. */
export const queryWidth = (config: ModelConfig): number => config.numHeads * config.headDim;

/** (Q + 2K) * D, the width of the fused q, k and v. */
export const qkvWidth = (config: ModelConfig): number =>
  (config.numHeads + 2 * config.numKvHeads) * config.headDim;

/** The formats of the dense matrices, which may differ: one whose rows are no whole blocks of int8 stays bf16. */
export function denseFormats(config: ModelConfig, { dense }: Pick<PlanOptions, "dense">) {
  return {
    qkv: denseFormat(dense, config.hiddenSize),
    out: denseFormat(dense, queryWidth(config)),
    lmHead: denseFormat(dense, config.hiddenSize),
  };
}

/** The shape of lm_head, which decides how many sampling candidates there are. */
export const lmHeadShape = (config: ModelConfig, options: PlanOptions): LmHeadShape => ({
  hiddenSize: config.hiddenSize,
  vocabSize: config.vocabSize,
  eps: config.rmsNormEps,
  dense: denseFormats(config, options).lmHead,
  activations: options.activations,
  tuning: options.tuning,
});
