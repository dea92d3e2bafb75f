import { isEngineError } from "../errors.ts";
import type { AdapterFacts } from "../gpu/adapter.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelTuning } from "../kernels/tuning.ts";
import { overrideTuning, tuningCandidates } from "../kernels/tuning-candidates.ts";
import { measureTuning, type TunerInput } from "../model/tuner.ts";
import type { EngineInfo, LoadOptions } from "./types.ts";

/** Small values that outlive the page, by key. Failures are the caller's to ignore. */
export interface RememberedSettings {
  readonly get: (key: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown) => Promise<void>;
}

/** How a load asks for its tuning. */
export interface TuningOptions extends Pick<LoadOptions, "tune" | "tuning"> {
  readonly settings?: RememberedSettings;
}

export interface TuningChoice {
  readonly tuning: KernelTuning;
  readonly source: EngineInfo["tuning"]["source"];
}

/** Raised where kernels change so that old measurements mean nothing. */
const tuningVersion = 1;

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
  { tune = "auto", tuning: forced, settings }: TuningOptions,
): Promise<TuningChoice> {
  const base = input.options.tuning;
  if (forced !== undefined) return { tuning: base, source: "forced" };
  const isTable = gpu.adapter.isSoftware || isKnown(gpu.adapter);
  if (tune === "table" || (tune === "auto" && isTable)) return { tuning: base, source: "table" };
  const key = settingsKey(gpu.adapter, input, base);
  const remembered = await recall(settings, key, base);
  if (remembered !== undefined) return { tuning: remembered, source: "remembered" };
  try {
    const tuning = await measureTuning(gpu, input);
    await settings?.set(key, tuning).catch(() => {}); // it is measured again next time
    return { tuning, source: "measured" };
  } catch (error) {
    if (isEngineError(error, "device-lost")) throw error;
    return { tuning: base, source: "table" };
  }
}

async function recall(
  settings: RememberedSettings | undefined,
  key: string,
  base: KernelTuning,
): Promise<KernelTuning | undefined> {
  try {
    const value = await settings?.get(key);
    return value === undefined ? undefined : overrideTuning(base, value);
  } catch {
    return undefined; // unreadable, or from another version: it is measured again
  }
}

/** By adapter, by what is measured (sizes of the model, forms, candidates) and by version. */
function settingsKey(adapter: AdapterFacts, { config, options }: TunerInput, base: KernelTuning): string {
  const { hiddenSize, intermediateSize, numExperts, expertsPerToken, vocabSize, expertFormat } = config;
  const model = [hiddenSize, intermediateSize, numExperts, expertsPerToken, vocabSize, expertFormat];
  const { contextLength: _, ...forms } = options;
  const facts = JSON.stringify([model, forms, tuningCandidates(base)]);
  const name = [adapter.vendor, adapter.architecture, adapter.description].join("/");
  return `tuning:${tuningVersion}:${name}:${shortHash(facts)}`;
}

/** FNV-1a: keys need no more. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16);
}
