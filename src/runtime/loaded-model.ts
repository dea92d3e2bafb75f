import { throwIfAborted } from "../errors.ts";
import { generationConfigName, parseGenerationEos } from "../format/config.ts";
import { parseJsonText } from "../format/json-text.ts";
import type { ModelConfig } from "../format/types.ts";
import { createBufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { createGrammarEngine, type GrammarEngine } from "../grammar/grammar-engine.ts";
import { grammarVocabulary } from "../grammar/vocabulary.ts";
import { type Activations, allocateActivations } from "../model/activations.ts";
import { createModelPlan } from "../model/plan.ts";
import type { ModelPlan } from "../model/plan-types.ts";
import type { PlanOptions } from "../model/shapes.ts";
import { runTrials, settled } from "../model/trials.ts";
import { type LoadStats, uploadWeights } from "../model/upload.ts";
import { layOutWeights, type ModelWeights, writeParts } from "../model/weights.ts";
import { assistantStopTokens } from "../text/stop-tokens.ts";
import type { Tokenizer } from "../text/types.ts";
import { readManifest } from "../weights/manifest.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { chooseTuning } from "./choose-tuning.ts";
import { checkedPlanOptions, type LoadModelOptions } from "./plan-options.ts";
import { readTokenizer } from "./read-tokenizer.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";
import type { EngineInfo } from "./types.ts";

/** A checkpoint on the GPU, ready to run. */
export interface LoadedModel {
  readonly config: ModelConfig;
  readonly info: EngineInfo;
  readonly plan: ModelPlan;
  readonly weights: ModelWeights;
  readonly activations: Activations;
  readonly planOptions: PlanOptions;
  readonly scheduler: Scheduler;
  /** Undefined where the checkpoint has no tokenizer.json: then only token ids can be used. */
  readonly tokenizer: Tokenizer | undefined;
  /** Matches answers to a JSON schema; undefined where there is no tokenizer, or no worker for it here. */
  readonly grammar: GrammarEngine | undefined;
  /** Ids that end an answer, from generation_config.json, config.json and harmony. */
  readonly stopTokens: readonly number[];
  destroy(): void;
}

/**
 * Loads a checkpoint: while its headers are read, the adapter is tried out (`runTrials`: a few small buffers and kernels); then
 * everything is checked, then every buffer is allocated, then the weights are streamed while the kernels compile. On failure
 * nothing stays allocated.
 */
export async function loadModel(
  gpu: Gpu,
  files: CheckpointFiles,
  options: LoadModelOptions,
): Promise<LoadedModel> {
  throwIfAborted(options.signal);
  const [manifest, { hasMatrices, variant, mxfp4 }] = await settled(
    readManifest(files, options.signal),
    runTrials(gpu, options),
  );
  const { config } = manifest;
  const checked = checkedPlanOptions({ ...gpu, hasMatrices, variant }, manifest, options);
  const tokenizer = await readTokenizer(files, options.signal);
  const stopTokens = await readStopTokens(files, config, tokenizer, options.signal);
  const buffers = createBufferSet(gpu);
  try {
    const layout = layOutWeights(manifest, buffers, checked);
    await buffers.settled();
    const { weights } = layout;
    writeParts(gpu, layout);
    const { tuning, ...chosen } = await chooseTuning(
      gpu,
      { weights, config, options: { ...checked, mxfp4 } },
      options,
    );
    const planOptions = { ...checked, tuning };
    throwIfAborted(options.signal);
    const act = allocateActivations(buffers, config, planOptions);
    await buffers.settled();
    const planning = createModelPlan(gpu, { buffers, weights, act }, config, {
      ...planOptions,
      mxfp4,
    });
    const [plan, load] = await whileUploading(planning, options.signal, (signal) =>
      uploadWeights(gpu, files, layout.placements, {
        onProgress: options.onProgress,
        signal,
        way: options.uploadWay,
      }),
    );
    const scheduler = createScheduler(gpu, plan, buffers);
    await buffers.settled();
    const info: EngineInfo = {
      adapter: describeAdapter(gpu),
      variant: planOptions.variant,
      mxfp4,
      tuning: { ...chosen, sizes: tuning },
      matrices: planOptions.tuning.moeTile.products === "matrix",
      model: {
        id: files.id,
        numLayers: config.numLayers,
        numExperts: config.numExperts,
        hiddenSize: config.hiddenSize,
        vocabSize: config.vocabSize,
        expertFormat: config.expertFormat,
        weightBytes: layout.totalBytes,
      },
      contextLength: planOptions.contextLength,
      kvFormat: planOptions.kvFormat,
      dense: planOptions.dense,
      activations: planOptions.activations,
      load,
      get gpuBytes() {
        return buffers.totalBytes;
      },
    };
    const grammar = grammarEngine(tokenizer, config, options);
    const destroy = () => {
      grammar?.dispose();
      buffers.destroy();
    };
    return {
      ...{ config, info, plan, weights, activations: act, planOptions },
      ...{ scheduler, tokenizer, grammar, stopTokens, destroy },
    };
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}

/** Its worker is made at the first request that needs it. */
function grammarEngine(
  tokenizer: Tokenizer | undefined,
  { vocabSize }: ModelConfig,
  { openGrammar }: LoadModelOptions,
): GrammarEngine | undefined {
  if (tokenizer === undefined || openGrammar === undefined) return undefined;
  return createGrammarEngine({
    openPort: openGrammar,
    vocabulary: () => grammarVocabulary(tokenizer),
    vocabSize,
  });
}

/** The plan and the load's times once both have ended. A plan that fails ends the upload: it may have gigabytes to go. */
async function whileUploading(
  planning: Promise<ModelPlan>,
  signal: AbortSignal | undefined,
  upload: (signal: AbortSignal) => Promise<LoadStats>,
): Promise<[ModelPlan, LoadStats]> {
  const stop = new AbortController();
  planning.catch(() => stop.abort());
  const uploading = upload(signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]));
  try {
    return await Promise.all([planning, uploading]);
  } finally {
    await Promise.allSettled([uploading]); // the buffers must outlive it
  }
}

function describeAdapter(gpu: Gpu): EngineInfo["adapter"] {
  const { vendor, architecture, description, isSoftware } = gpu.adapter;
  return { vendor, architecture, description, isSoftware };
}

async function readStopTokens(
  files: CheckpointFiles,
  config: ModelConfig,
  tokenizer: Tokenizer | undefined,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const text = await files.readText(generationConfigName, signal);
  const generation = text === undefined ? [] : parseGenerationEos(parseJsonText(generationConfigName, text));
  const harmony = tokenizer === undefined ? [] : assistantStopTokens(tokenizer);
  return [...new Set([...config.eosTokenIds, ...generation, ...harmony])];
}
