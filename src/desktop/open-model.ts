import { createEngine } from "../runtime/engine.ts";
import { checkTokens } from "../runtime/generate.ts";
import type { Engine, LoadOptions } from "../runtime/types.ts";
import { readConfig } from "../weights/manifest.ts";
import { openDawn } from "./dawn.ts";
import { nanoFolder } from "./embedded-model.ts";
import { createFolderFiles } from "./folder-files.ts";
import { adapterChoice, type Options } from "./options.ts";
import type { Terminal } from "./terminal.ts";

export interface OpenOptions {
  /** Token ids to check against the vocabulary before anything is loaded. */
  readonly tokens?: readonly number[];
  /** Tokens that prompt and answer will take together. */
  readonly neededTokens?: number;
}

/**
 * Opens the folder of `--model` (or `nano`) on the chosen adapter and hands the engine to `use`.
 * Input is checked before the GPU is opened.
 */
export async function withModel(
  options: Options,
  { tokens, neededTokens = 0 }: OpenOptions,
  terminal: Terminal,
  use: (engine: Engine) => Promise<void>,
): Promise<void> {
  const load = loadOptions(options);
  const adapter = adapterChoice(options);
  const folder = options.required("model");
  const files = createFolderFiles(folder === "nano" ? nanoFolder() : folder);
  const config = await readConfig(files);
  if (tokens !== undefined) checkTokens(tokens, config.vocabSize);
  const contextLength =
    load.contextLength ?? Math.min(config.maxPositionEmbeddings, Math.max(8192, neededTokens));
  const gpu = await openDawn(adapter, (sentence) => terminal.err(`${sentence}\n`));
  const engine = await createEngine(gpu);
  try {
    await engine.load(files, { ...load, contextLength });
    await use(engine);
  } finally {
    engine.dispose();
  }
}

function loadOptions(options: Options): LoadOptions {
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const variant = options.choice("variant", ["subgroups", "workgroup"]);
  const contextLength = options.number("context-length", { least: 1, most: 2 ** 31 });
  return {
    ...(kvFormat === undefined ? {} : { kvFormat }),
    ...(variant === undefined ? {} : { variant }),
    ...(contextLength === undefined ? {} : { contextLength }),
  };
}
