import type { Step } from "../gpu/steps.ts";

/** The numbers of one pass that dispatch sizes depend on. */
export interface PassRun {
  /** T, tokens in this pass. */
  readonly numTokens: number;
  /** Upper bound of the keys any token of the pass sees: its position + 1. */
  readonly maxKeys: number;
}

/** Buffers through which the runtime talks to a plan. */
export interface PlanBuffers {
  /** Step state, see kernels/step.ts. */
  readonly step: GPUBuffer;
  /** [maxTokensPerPass] ids; sample-advance leaves the next id in word 0. */
  readonly tokens: GPUBuffer;
  /** See `packStopTokens`. */
  readonly stopTokens: GPUBuffer;
  /** Bit mask of ids that may be sampled. */
  readonly allowed: GPUBuffer;
  /** See `sampleResultBytes`. */
  readonly result: GPUBuffer;
  /** [V] f32, logits of the last token of the latest head pass. */
  readonly logits: GPUBuffer;
}

/** Everything compiled and bound for one model: passes are lists of steps to encode. */
export interface ModelPlan {
  readonly maxTokensPerPass: number;
  readonly buffers: PlanBuffers;
  /** Many tokens through all layers (GEMM forms). */
  readonly prefill: readonly Step<PassRun>[];
  /** One token through all layers (GEMV forms). */
  readonly decode: readonly Step<PassRun>[];
  /** Logits of the pass's last token. */
  readonly head: readonly Step<PassRun>[];
  /** Takes the next token and moves the step state on; after `head`. */
  readonly sample: readonly Step<PassRun>[];
  /** Logits of every token of a prefill pass; made when first asked for. */
  allLogits(): Promise<AllLogits>;
}

export interface AllLogits {
  readonly steps: readonly Step<PassRun>[];
  /** [maxTokens, V] f32 */
  readonly buffer: GPUBuffer;
  /** Most tokens of a pass whose logits fit. */
  readonly maxTokens: number;
}
