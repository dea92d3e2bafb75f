import { isEngineError } from "../errors.ts";
import type { ModelConfig } from "../format/types.ts";
import { createDryBufferSet } from "../gpu/dry-buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelTuning } from "../kernels/tuning.ts";
import {
  type TuningKey,
  type TuningTrial,
  tunedKernels,
  tuningKeys,
  tuningsToTry,
} from "../kernels/tuning-candidates.ts";
import { type Activations, allocateActivations } from "./activations.ts";
import { buildPasses, type Passes } from "./plan.ts";
import type { PlanOptions } from "./shapes.ts";
import { createDraftBuilder, type StepDraft, type StepForms } from "./step-builder.ts";
import type { ModelWeights } from "./weights.ts";

export interface TunerInput {
  /** Buffers in their real sizes; what they hold does not matter. */
  readonly weights: ModelWeights;
  readonly config: ModelConfig;
  /** As the model will run, with the tuning to start from. */
  readonly options: PlanOptions & StepForms;
}

/** Most modules that a load compiles, those that are only measured included. */
export const mostModules = 40;
/** Modules that a load compiles beside its plan: tests of subgroups, of MXFP4 and of matrices, and the quantizer. */
const otherModules = ({ hasMatrices }: Gpu, { options }: TunerInput): number =>
  2 + (hasMatrices ? 1 : 0) + (options.dense === "int8" ? 1 : 0);

/** A model that has only these of its layers. */
export function withLayers({ weights, config, options }: TunerInput, layers: readonly number[]): TunerInput {
  const pick = <T>(all: readonly T[]) => layers.flatMap((layer) => all.slice(layer, layer + 1));
  return {
    weights: { ...weights, layers: pick(weights.layers) },
    config: { ...config, numLayers: layers.length, layerTypes: pick(config.layerTypes) },
    options,
  };
}

/** The passes of a model with another tuning, as drafts. */
export const draftPasses = (
  gpu: Gpu,
  { weights, config, options }: TunerInput,
  act: Activations,
  tuning: KernelTuning,
): Promise<Passes<StepDraft>> =>
  buildPasses(createDraftBuilder(gpu, options), config, weights, act, { ...options, tuning });

/** The drafts of the kernels that read a row. */
export const draftsOf = (key: TuningKey, drafts: readonly StepDraft[]): StepDraft[] =>
  drafts.filter(({ id }) => tunedKernels[key].includes(id));

/** What a load may try: trials that change a text of this model, as many as its share of modules allows. */
export async function affordableTrials(gpu: Gpu, input: TunerInput): Promise<TuningTrial[]> {
  const textsOf = await textsByTuning(gpu, input);
  const base = input.options.tuning;
  const texts = new Set(await textsOf(base));
  const modulesLeft = mostModules - otherModules(gpu, input);
  const trials: TuningTrial[] = [];
  for (const trial of tuningsToTry(base, gpu.device.limits)) {
    const own = await textsOf(trial.tuning, trial.key).catch(unlessRefused);
    const added = own.filter((text) => !texts.has(text));
    if (added.length === 0 || texts.size + added.length > modulesLeft) continue;
    for (const text of added) texts.add(text);
    trials.push(trial);
  }
  return trials;
}

/** A kernel's rules may refuse this shape with a candidate's sizes: then there is nothing to try. */
function unlessRefused(error: unknown): string[] {
  if (isEngineError(error, "limit-exceeded")) return [];
  throw error;
}

/** The texts that decide what is measured: those of all kernels with sizes to choose, in a context of one length. */
export async function tunedTexts(gpu: Gpu, input: TunerInput): Promise<string[]> {
  const { maxTokensPerPass } = input.options;
  const options = { ...input.options, contextLength: maxTokensPerPass };
  const textsOf = await textsByTuning(gpu, { ...input, options });
  return (await Promise.all(tuningKeys.map((key) => textsOf(options.tuning, key)))).flat();
}

/** Distinct texts of a plan with a tuning, or of its kernels that read one row. A layer of each type has them all. */
async function textsByTuning(gpu: Gpu, input: TunerInput) {
  const { layerTypes } = input.config;
  const layers = [...new Set(layerTypes)].map((type) => layerTypes.indexOf(type));
  const few = withLayers(input, layers);
  const anySize = createDryBufferSet({ maxBufferSize: Infinity, maxStorageBufferBindingSize: Infinity });
  const act = allocateActivations(anySize, few.config, few.options);
  return async (tuning: KernelTuning, key?: TuningKey): Promise<string[]> => {
    const drafts = Object.values(await draftPasses(gpu, few, act, tuning)).flat();
    const chosen = key === undefined ? drafts : draftsOf(key, drafts);
    return [...new Set(chosen.map((draft) => draft.compose().code))];
  };
}
