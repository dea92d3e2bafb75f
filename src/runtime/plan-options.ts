import { EngineError } from "../errors.ts";
import type { CheckpointManifest, ModelConfig } from "../format/types.ts";
import { createDryBufferSet } from "../gpu/dry-buffers.ts";
import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import type { UploadWay } from "../gpu/staging.ts";
import type { GrammarPort } from "../grammar/protocol.ts";
import { defaultTuning, matrixTuning } from "../kernels/tuning.ts";
import { overrideTuning } from "../kernels/tuning-candidates.ts";
import { allocateActivations } from "../model/activations.ts";
import type { PlanOptions } from "../model/shapes.ts";
import { layOutWeights } from "../model/weights.ts";
import type { RememberedSettings } from "./choose-tuning.ts";
import type { LoadOptions } from "./types.ts";

const defaultContextLength = 8192;
/**
 * Tokens of a pass by default. A pass reads each expert once, whether for one token or for a hundred, so it should bring
 * each about a hundred: 512 with few experts, 1024 for 20b, 2048 (as many as are worth their activations) for 120b.
 */
function defaultTokensPerPass({ numExperts, expertsPerToken }: ModelConfig): number {
  const wanted = (128 * numExperts) / expertsPerToken;
  return Math.min(2048, Math.max(512, 512 * Math.round(wanted / 512)));
}

/** What `Engine.load` takes, and what the engine, tests and the bench add. */
export interface LoadModelOptions extends LoadOptions {
  /** Most prompt tokens of one pass; the activations of a pass are allocated for it. Default 512 to 2048, by the number of experts. */
  readonly maxTokensPerPass?: number;
  /** How the weights reach the GPU. Default: what was measured best. */
  readonly uploadWay?: UploadWay;
  /** Where measured sizes are remembered. Default: nowhere. */
  readonly settings?: RememberedSettings;
  /** Opens a worker that matches answers to JSON schemas. Without it such answers are refused. */
  readonly openGrammar?: () => GrammarPort;
}

/**
 * Checks that a checkpoint can be loaded on this GPU with these options, and fills in the defaults. Nothing is
 * allocated: weights, KV cache and activations are laid out dry, against the limits of the device.
 * @throws request-invalid, and limit-exceeded naming the buffer, its bytes and the bytes allowed
 */
export function checkedPlanOptions(
  gpu: Pick<Gpu, "device" | "variant" | "hasMatrices" | "hasPackedDot">,
  manifest: CheckpointManifest,
  options: LoadModelOptions,
): PlanOptions {
  const planOptions = planOptionsOf({ features: gpu.device.features, ...gpu }, manifest.config, options);
  const dry = createDryBufferSet(gpu.device.limits);
  layOutWeights(manifest, dry, planOptions);
  allocateActivations(dry, manifest.config, planOptions);
  return planOptions;
}

/** What the defaults depend on. */
export interface PlanDevice {
  readonly features: ReadonlySet<string>;
  readonly variant: KernelVariant;
  readonly hasMatrices: boolean;
  readonly hasPackedDot: boolean;
}

/** The options with their defaults. @throws request-invalid */
export function planOptionsOf(
  { features, variant: bestVariant, hasMatrices, hasPackedDot }: PlanDevice,
  config: ModelConfig,
  options: LoadModelOptions,
): PlanOptions {
  const contextLength = checkContextLength(options.contextLength, config);
  const variant = options.variant ?? bestVariant;
  if (variant === "subgroups" && !features.has("subgroups")) {
    throw new EngineError(
      "request-invalid",
      "The kernel variant subgroups was asked for, but this adapter has no subgroups.",
    );
  }
  const dense = options.dense ?? "bf16";
  const hasSmallWeights = dense === "int8" || config.expertFormat === "mxfp4";
  return {
    contextLength,
    kvFormat: options.kvFormat ?? "f32",
    dense,
    activations: options.activations === "int8" && hasPackedDot && hasSmallWeights ? "int8" : "f32",
    variant,
    maxTokensPerPass: Math.min(options.maxTokensPerPass ?? defaultTokensPerPass(config), contextLength),
    tuning: overrideTuning(hasMatrices ? matrixTuning : defaultTuning, options.tuning ?? {}),
  };
}

/** The context length asked for, or its default. @throws request-invalid where the model has no such length */
export function checkContextLength(asked: number | undefined, config: ModelConfig): number {
  const most = config.maxPositionEmbeddings;
  if (asked === undefined) return Math.min(defaultContextLength, most);
  if (!Number.isInteger(asked) || asked < 1 || asked > most) {
    throw new EngineError(
      "request-invalid",
      `contextLength must be a whole number from 1 to ${most} (the model's maximum), got ${asked}.`,
    );
  }
  return asked;
}
