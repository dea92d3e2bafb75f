import { adapterConfigName } from "../format/adapter-config.ts";
import type { ModelConfig } from "../format/types.ts";
import { createEngine } from "../runtime/engine.ts";
import { checkTokens } from "../runtime/generate.ts";
import { checkContextLength } from "../runtime/plan-options.ts";
import { readTokenizer, requireTokenizer } from "../runtime/read-tokenizer.ts";
import type { Engine, LoadOptions } from "../runtime/types.ts";
import { withLora } from "../weights/lora-files.ts";
import { readManifest } from "../weights/manifest.ts";
import { tokenizerName, withTokenizerFrom } from "../weights/tokenizer-source.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { openDawn } from "./dawn.ts";
import { nanoFolder } from "./embedded-model.ts";
import { createFolderFiles } from "./folder-files.ts";
import { openGrammar } from "./open-grammar.ts";
import { adapterChoice, type Options } from "./options.ts";
import { createSettingsFile } from "./settings-file.ts";
import type { Terminal } from "./terminal.ts";

export interface OpenOptions {
  /** Token ids to check against the vocabulary before anything is loaded. */
  readonly tokens?: readonly number[];
  /** True where text goes in or out: then the checkpoint must have a tokenizer that works. */
  readonly needsText?: boolean;
  /** Tokens that prompt and answer will take together. */
  readonly neededTokens?: number;
}

/**
 * Opens the folder of `--model` (or `nano`) on the chosen adapter and hands the engine to `use`.
 * The whole checkpoint but its weights, and the input, are checked before the GPU is opened.
 */
export async function withModel(
  options: Options,
  { tokens, needsText = false, neededTokens = 0 }: OpenOptions,
  terminal: Terminal,
  use: (engine: Engine) => Promise<void>,
): Promise<void> {
  const load = loadOptions(options);
  const adapter = adapterChoice(options);
  const { files, config } = await modelFiles(options);
  if (needsText) requireTokenizer(await readTokenizer(files, undefined), files.id);
  if (tokens !== undefined) checkTokens(tokens, config.vocabSize);
  const contextLength =
    load.contextLength === undefined
      ? Math.min(config.maxPositionEmbeddings, Math.max(8192, neededTokens))
      : checkContextLength(load.contextLength, config);
  const gpu = await openDawn(adapter, (sentence) => terminal.err(`${sentence}\n`));
  const engine = await createEngine(gpu, { openGrammar, settings: createSettingsFile() });
  try {
    await engine.load(files, { ...load, contextLength });
    await use(engine);
  } finally {
    engine.dispose();
  }
}

/** The checkpoint of `--model`, with the tokenizer of `--tokenizer` and the adapter of `--lora`. */
export async function modelFiles(options: Options): Promise<{ files: CheckpointFiles; config: ModelConfig }> {
  const model = options.required("model");
  const tokenizer = options.text("tokenizer");
  const lora = options.text("lora");
  const own = createFolderFiles(model === "nano" ? nanoFolder() : model);
  const base =
    tokenizer === undefined ? own : withTokenizerFrom(own, createFolderFiles(tokenizer, tokenizerName));
  const manifest = await readManifest(base);
  const files =
    lora === undefined
      ? base
      : await withLora(base, createFolderFiles(lora, adapterConfigName), { manifest });
  return { files, config: manifest.config };
}

function loadOptions(options: Options): LoadOptions {
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const dense = options.choice("dense", ["bf16", "int8"]);
  const activations = options.choice("activations", ["f32", "int8"]);
  const variant = options.choice("variant", ["subgroups", "workgroup"]);
  const contextLength = options.number("context-length", { least: 1, most: 2 ** 31 });
  return {
    ...(kvFormat === undefined ? {} : { kvFormat }),
    ...(dense === undefined ? {} : { dense }),
    ...(activations === undefined ? {} : { activations }),
    ...(variant === undefined ? {} : { variant }),
    ...(options.flag("no-matrices") && { matrices: false }),
    ...(contextLength === undefined ? {} : { contextLength }),
  };
}
