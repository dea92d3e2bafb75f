import { isEngineError } from "../errors.ts";
import type { AdapterFacts } from "../gpu/adapter.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelTuning } from "../kernels/tuning.ts";
import { knownTuning, tuningCandidates } from "../kernels/tuning-candidates.ts";
import { measureTuning } from "../model/tuner.ts";
import { type TunerInput, tunedTexts } from "../model/tuner-trials.ts";
import type { EngineInfo, LoadOptions } from "./types.ts";

/** Small values that outlive the page, by key. Failures are the caller's to ignore. */
export interface RememberedSettings {
  readonly get: (key: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown) => Promise<void>;
}

/** How a load asks for its tuning. */
export interface TuningOptions extends Pick<LoadOptions, "tune" | "tuning" | "signal"> {
  readonly settings?: RememberedSettings;
}

export interface TuningChoice extends Omit<EngineInfo["tuning"], "sizes"> {
  readonly tuning: KernelTuning;
}

/** Adapter classes for which the built-in sizes were measured (docs/performance.md). */
const knownClasses: readonly { readonly vendor: string; readonly architecture?: RegExp }[] = [
  // Dawn through Vulkan gives data-centre cards of this generation as "hopper" or without an architecture.
  { vendor: "nvidia", architecture: /^(hopper)?$/ },
];

const isKnown = (adapter: AdapterFacts): boolean =>
  knownClasses.some(
    ({ vendor, architecture = /./ }) =>
      adapter.vendor.toLowerCase() === vendor && architecture.test(adapter.architecture.toLowerCase()),
  );

/**
 * The kernels' sizes for this adapter: forced by an option (they are in the input's options already), from the table where the adapter is known or a CPU,
 * otherwise measured once and remembered. A measurement that fails leaves the built-in sizes.
 * @throws device-lost | aborted
 */
export async function chooseTuning(
  gpu: Gpu,
  input: TunerInput,
  { tune = "auto", tuning: forced, settings, signal }: TuningOptions,
): Promise<TuningChoice> {
  const base = input.options.tuning;
  if (forced !== undefined) return { tuning: base, source: "forced" };
  const isTable = gpu.adapter.isSoftware || isKnown(gpu.adapter);
  if (tune === "table" || (tune === "auto" && isTable)) return { tuning: base, source: "table" };
  const key = await settingsKey(gpu, input);
  const remembered = await recall(gpu, base, settings, key);
  if (remembered !== undefined) return { tuning: remembered, source: "remembered" };
  try {
    const started = performance.now();
    const tuning = await measureTuning(gpu, input, { signal });
    const seconds = (performance.now() - started) / 1000;
    await settings?.set(key, tuning).catch(() => {}); // it is measured again next time
    return { tuning, source: "measured", seconds };
  } catch (error) {
    if (isEngineError(error, "device-lost") || isEngineError(error, "aborted")) throw error;
    return { tuning: base, source: "table" };
  }
}

/** What was measured before: nothing where it cannot be read, or is no tuning that could be measured here. */
async function recall(
  { device }: Gpu,
  base: KernelTuning,
  settings: RememberedSettings | undefined,
  key: string,
): Promise<KernelTuning | undefined> {
  try {
    return knownTuning(base, await settings?.get(key), device.limits);
  } catch {
    return undefined; // it is measured again
  }
}

/** Of the way of measuring and choosing: what another one chose is measured anew. */
const tunerVersion = 2;

/** By adapter, by what is measured (sizes of the model, forms, candidates) and by version: that of the kernels' texts. */
async function settingsKey(gpu: Gpu, input: TunerInput): Promise<string> {
  const { config, options } = input;
  const { hiddenSize, intermediateSize, numExperts, expertsPerToken, vocabSize, expertFormat } = config;
  const model = [hiddenSize, intermediateSize, numExperts, expertsPerToken, vocabSize, expertFormat];
  const heads = [config.numHeads, config.numKvHeads, config.headDim];
  const { contextLength: _, ...forms } = options;
  const facts = JSON.stringify([
    tunerVersion,
    model,
    heads,
    forms,
    tuningCandidates(options.tuning, gpu.device.limits),
  ]);
  const { vendor, architecture, description } = gpu.adapter;
  const version = shortHash((await tunedTexts(gpu, input)).join());
  return `tuning:${version}:${[vendor, architecture, description].join("/")}:${shortHash(facts)}`;
}

/** FNV-1a: keys need no more. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}
