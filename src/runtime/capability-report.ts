import { EngineError, type ErrorCode, isEngineError } from "../errors.ts";
import type { CheckpointManifest, ModelConfig } from "../format/types.ts";
import type { AdapterDescription } from "../gpu/adapter-description.ts";
import { chooseVariant, type KernelVariant } from "../gpu/variant.ts";
import type { PlanOptions } from "../model/shapes.ts";
import { checkLimits, longestContext, type ModelNeeds, modelNeeds } from "./model-needs.ts";
import { planOptionsOf } from "./plan-options.ts";
import type { LoadOptions } from "./types.ts";

/** What a model is to be run with, and what the caller knows that WebGPU does not tell. */
export interface CapabilityOptions
  extends Pick<LoadOptions, "contextLength" | "kvFormat" | "dense" | "variant"> {
  /** Bytes of the GPU's memory. WebGPU has no way to ask. */
  readonly gpuMemoryBytes?: number;
  /** Bytes that this browser's storage still takes, as it estimates. */
  readonly storageBytes?: number;
}

/** Something that stands in the way of a model, and what helps. */
export interface CapabilityProblem {
  /** `blocks`: loading would fail with `code`. `warns`: it may fail with it, or be slow. */
  readonly severity: "blocks" | "warns";
  readonly code: ErrorCode | "slow";
  /** What was needed and what is there, with numbers. */
  readonly message: string;
  /** What the user can do. */
  readonly remedy: string;
}

/** Whether a model can run here, told before anything of it is downloaded. Plain data. */
export interface CapabilityReport {
  /** True where nothing blocks. The GPU's free memory cannot be asked, so loading may still end with `out-of-memory`. */
  readonly canLoad: boolean;
  /** Undefined where there is none. */
  readonly adapter: AdapterDescription | undefined;
  /** How kernels would reduce on this adapter. */
  readonly variant: KernelVariant | undefined;
  readonly model: Pick<
    ModelConfig,
    "numLayers" | "numExperts" | "hiddenSize" | "vocabSize" | "expertFormat" | "maxPositionEmbeddings"
  >;
  readonly contextLength: number;
  readonly kvFormat: "f32" | "f16";
  readonly dense: "bf16" | "int8";
  readonly needs: ModelNeeds;
  /** Bytes to be downloaded and stored. */
  readonly downloadBytes: number;
  /** The longest context that adapter and, where it is known, memory allow; 0 where none. Undefined without an adapter. */
  readonly longestContext: number | undefined;
  readonly problems: readonly CapabilityProblem[];
}

/**
 * Says whether a model can run on an adapter: what is there, what it needs, what is missing and what helps.
 * @param adapter its description, or why there is none
 */
export function capabilityReport(
  adapter: AdapterDescription | EngineError,
  manifest: CheckpointManifest,
  options: CapabilityOptions = {},
): CapabilityReport {
  const there = adapter instanceof EngineError ? undefined : adapter;
  const problems: CapabilityProblem[] = [];
  const note = (severity: CapabilityProblem["severity"], { code, message }: Reason, remedy: string) =>
    problems.push({ severity, code, message, remedy });
  if (adapter instanceof EngineError) note("blocks", adapter, remedies.adapter);
  const plan = planFor(there, manifest.config, options, (error) => note("blocks", error, remedies.options));
  const needs = modelNeeds(manifest, plan);
  const fits = (contextLength: number) =>
    there !== undefined && fitsIn(there, manifest, { ...plan, contextLength }, options);
  const longest =
    there === undefined ? undefined : longestContext(manifest.config.maxPositionEmbeddings, fits);
  if (there !== undefined) {
    for (const problem of sizeProblems(there, manifest, plan, { needs, longest: longest ?? 0, options }))
      problems.push(problem);
    if (there.isSoftware) note("warns", softwareAdapter(there), remedies.software);
  }
  const downloadBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (options.storageBytes !== undefined && options.storageBytes < downloadBytes) {
    const message = `The browser estimates room for ${gigabytes(options.storageBytes)}, the model takes ${gigabytes(downloadBytes)}.`;
    note("warns", { code: "storage-full", message }, remedies.storage);
  }
  const { numLayers, numExperts, hiddenSize, vocabSize, expertFormat, maxPositionEmbeddings } =
    manifest.config;
  return {
    canLoad: problems.every(({ severity }) => severity !== "blocks"),
    adapter: there,
    variant: there === undefined ? undefined : plan.variant,
    model: { numLayers, numExperts, hiddenSize, vocabSize, expertFormat, maxPositionEmbeddings },
    contextLength: plan.contextLength,
    kvFormat: plan.kvFormat,
    dense: plan.dense,
    needs,
    downloadBytes,
    longestContext: longest,
    problems,
  };
}

type Reason = Pick<CapabilityProblem, "code" | "message">;

const remedies = {
  adapter:
    "Use a browser with WebGPU (Chrome or Edge 134 or newer) on a secure page, enable hardware acceleration, and update the graphics driver.",
  options: "Change the option.",
  software: "Enable hardware acceleration: on the CPU all but small models take very long for every token.",
  storage: "Free disk space or delete stored models; a folder on disk can be loaded without storing it.",
} as const;

/** The plan asked for; where the options are wrong, that of the defaults. */
function planFor(
  adapter: AdapterDescription | undefined,
  config: ModelConfig,
  options: CapabilityOptions,
  onWrong: (error: EngineError) => void,
): PlanOptions {
  // Without an adapter its features do not matter: sizes are the same for both variants.
  const features = new Set(adapter?.features ?? ["subgroups"]);
  const variant = adapter === undefined ? "workgroup" : chooseVariant(features, adapter);
  try {
    return planOptionsOf({ features, variant, ...withoutExtras }, config, options);
  } catch (error) {
    if (!isEngineError(error, "request-invalid")) throw error;
    onWrong(error);
    const { kvFormat, dense } = options;
    return planOptionsOf({ features, variant, ...withoutExtras }, config, {
      ...(kvFormat && { kvFormat }),
      ...(dense && { dense }),
    });
  }
}

/** Neither does what only speed depends on. */
const withoutExtras = { matrixLimits: undefined, hasPackedDot: false };

function fitsIn(
  adapter: AdapterDescription,
  manifest: CheckpointManifest,
  plan: PlanOptions,
  { gpuMemoryBytes }: CapabilityOptions,
): boolean {
  if (limitProblem(adapter, manifest, plan) !== undefined) return false;
  return gpuMemoryBytes === undefined || modelNeeds(manifest, plan).totalBytes <= gpuMemoryBytes;
}

function limitProblem(
  adapter: AdapterDescription,
  manifest: CheckpointManifest,
  plan: PlanOptions,
): EngineError | undefined {
  try {
    checkLimits(manifest, plan, adapter.limits);
    return undefined;
  } catch (error) {
    if (isEngineError(error, "limit-exceeded")) return error;
    throw error;
  }
}

interface SizeFacts {
  readonly needs: ModelNeeds;
  readonly longest: number;
  readonly options: CapabilityOptions;
}

/** What is too large: one buffer for the adapter, or all of them for the memory that is known. */
function sizeProblems(
  adapter: AdapterDescription,
  manifest: CheckpointManifest,
  plan: PlanOptions,
  { needs, longest, options }: SizeFacts,
): CapabilityProblem[] {
  const shorter =
    longest >= plan.contextLength || longest === 0 ? "" : `Ask for a contextLength of at most ${longest}.`;
  const problems: CapabilityProblem[] = [];
  const limit = limitProblem(adapter, manifest, plan);
  if (limit !== undefined) {
    const remedy = shorter || "Use a GPU whose limits are higher, or a smaller model.";
    problems.push({ severity: "blocks", code: "limit-exceeded", message: limit.message, remedy });
  }
  const { gpuMemoryBytes } = options;
  if (gpuMemoryBytes !== undefined && needs.totalBytes > gpuMemoryBytes) {
    const half = plan.kvFormat === "f32" ? ' kvFormat "f16" halves the KV cache.' : "";
    problems.push({
      severity: "blocks",
      code: "out-of-memory",
      message: `The model needs ${gigabytes(needs.totalBytes)} of GPU memory (weights ${gigabytes(needs.weightBytes)}, KV cache ${gigabytes(needs.kvBytes)}, activations ${gigabytes(needs.activationBytes)}), the GPU has ${gigabytes(gpuMemoryBytes)}.`,
      remedy: `${shorter || "Use a GPU with more memory, or a smaller model."}${half}${int8Remedy(manifest, plan, needs)}`,
    });
  }
  return problems;
}

/** What int8 would save, where it is not asked for. */
function int8Remedy(manifest: CheckpointManifest, plan: PlanOptions, { weightBytes }: ModelNeeds): string {
  if (plan.dense === "int8") return "";
  const saved = weightBytes - modelNeeds(manifest, { ...plan, dense: "int8" }).weightBytes;
  return ` dense "int8" takes ${gigabytes(saved)} less.`;
}

function softwareAdapter({ description, vendor }: AdapterDescription): Reason {
  return {
    code: "slow",
    message: `The only adapter (${description || vendor}) computes on the CPU.`,
  };
}

const gigabytes = (numBytes: number): string => `${(numBytes / 1e9).toFixed(2)} GB`;
