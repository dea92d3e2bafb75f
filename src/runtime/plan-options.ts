import { EngineError } from "../errors.ts";
import type { CheckpointManifest, ModelConfig } from "../format/types.ts";
import { createDryBufferSet } from "../gpu/dry-buffers.ts";
import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import type { UploadWay } from "../gpu/staging.ts";
import type { GrammarPort } from "../grammar/protocol.ts";
import { fitsWorkgroup, type WorkgroupLimits } from "../kernels/check-tuning.ts";
import { defaultTuning, type KernelTuning, tileKeys } from "../kernels/tuning.ts";
import { matrixTuningFor, overrideTuning } from "../kernels/tuning-candidates.ts";
import { allocateActivations } from "../model/activations.ts";
import type { PlanOptions } from "../model/shapes.ts";
import { tuningProblems } from "../model/tuning-problems.ts";
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
  const { features, limits } = gpu.device;
  const matrixLimits = gpu.hasMatrices && options.matrices !== false ? limits : undefined;
  const planOptions = planOptionsOf({ features, ...gpu, matrixLimits }, manifest.config, options);
  const dry = createDryBufferSet(limits);
  layOutWeights(manifest, dry, planOptions);
  allocateActivations(dry, manifest.config, planOptions);
  return planOptions;
}

/** What the defaults depend on. */
export interface PlanDevice {
  readonly features: ReadonlySet<string>;
  readonly variant: KernelVariant;
  /** Limits of workgroups where tiles may be made by subgroup matrices; undefined where not. */
  readonly matrixLimits: WorkgroupLimits | undefined;
  readonly hasPackedDot: boolean;
}

/** The options with their defaults. @throws request-invalid */
export function planOptionsOf(
  { features, variant: bestVariant, matrixLimits, hasPackedDot }: PlanDevice,
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
  const base = (matrixLimits && matrixTuningFor(matrixLimits)) ?? defaultTuning;
  const planOptions: PlanOptions = {
    contextLength,
    kvFormat: options.kvFormat ?? "f32",
    dense,
    activations: options.activations === "int8" && hasPackedDot && hasSmallWeights ? "int8" : "f32",
    variant,
    maxTokensPerPass: Math.min(options.maxTokensPerPass ?? defaultTokensPerPass(config), contextLength),
    tuning: overrideTuning(base, options.tuning ?? {}),
  };
  if (options.tuning !== undefined) checkForcedTuning(config, planOptions, matrixLimits);
  return planOptions;
}

/** @throws request-invalid where kernels cannot run with the sizes that an option forces */
function checkForcedTuning(
  config: ModelConfig,
  planOptions: PlanOptions,
  matrixLimits: WorkgroupLimits | undefined,
): void {
  const problems = [
    ...tuningProblems(config, planOptions),
    ...matrixProblems(planOptions.tuning, matrixLimits),
  ];
  if (problems.length === 0) return;
  throw new EngineError("request-invalid", `The kernels cannot be tuned so: ${problems.join("; ")}.`);
}

/** What stands in the way of tiles by subgroup matrices, where a tuning has such. */
function matrixProblems(tuning: KernelTuning, limits: WorkgroupLimits | undefined): string[] {
  const keys = tileKeys.filter((key) => tuning[key].products === "matrix");
  if (keys.every((key) => limits !== undefined && fitsWorkgroup(key, tuning[key], limits))) return [];
  return [
    limits === undefined
      ? "this adapter has no subgroup matrices that fit, or they are switched off"
      : `a matrix tile needs more than the ${limits.maxComputeWorkgroupStorageSize} bytes that workgroups have here`,
  ];
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
