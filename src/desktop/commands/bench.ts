import { type BenchRequest, benchModel } from "../../bench/bench-model.ts";
import { benchTable } from "../../bench/report-table.ts";
import { createSyntheticFiles, type SyntheticShape, syntheticConfig } from "../../bench/synthetic-files.ts";
import { openGpu } from "../../gpu/gpu.ts";
import { readManifest } from "../../weights/manifest.ts";
import type { CheckpointFiles } from "../../weights/types.ts";
import { openDawn } from "../dawn.ts";
import { nanoFolder } from "../embedded-model.ts";
import { usageError } from "../exit.ts";
import { createFolderFiles } from "../folder-files.ts";
import { adapterChoice, asksForHelp, type Options, parseOptions, refuseFree } from "../options.ts";
import type { Terminal } from "../terminal.ts";

const usage = `usage: npm run bench -- [--shape nano|20b|120b] [--layers N] [--model DIR|nano] [--prompt N] [--tokens N] [--runs N] [--context N]
  [--kv f32|f16] [--variant subgroups|workgroup] [--adapter auto|swiftshader] [--depth N] [--json] [--profile]
  nano is the embedded model; 20b and 120b are random weights of the published shapes, made as they are read.`;

const optionTable = {
  shape: { type: "string" },
  layers: { type: "string" },
  prompt: { type: "string" },
  tokens: { type: "string" },
  runs: { type: "string" },
  context: { type: "string" },
  json: { type: "boolean" },
  profile: { type: "boolean" },
  depth: { type: "string" },
} as const;

const most = 131072;

/** `bench`: times decode and prefill of a model, or with --profile its kernels. Results go to stdout, as JSON with --json. */
export async function benchCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  if (asksForHelp(args)) return terminal.out(`${usage}\n`);
  const options = parseOptions(args, optionTable);
  refuseFree(options);
  for (const name of ["tokenizer", "lora"]) {
    if (options.text(name) !== undefined)
      throw usageError(`bench takes no --${name}: rates do not depend on it.`);
  }
  const setting = readSetting(options);
  const files = benchFiles(options);
  await readManifest(files); // a checkpoint that is wrong is told before a GPU is opened
  const say = (sentence: string) => terminal.err(`${sentence}\n`);
  const gpu = await openGpu(await openDawn(adapterChoice(options), say));
  try {
    const report = await benchModel(gpu, {
      files,
      load: setting.load,
      options: { ...setting.options, onProgress: say },
    });
    terminal.out(`${options.flag("json") ? JSON.stringify(report) : benchTable(report)}\n`);
  } finally {
    gpu.destroy();
  }
}

/** What the command line asks for, checked. */
function readSetting(options: Options): Pick<BenchRequest, "load" | "options"> {
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const variant = options.choice("variant", ["subgroups", "workgroup"]);
  const decodeTokens = options.number("tokens", { least: 2, most }) ?? 128;
  const promptTokens = options.number("prompt", { least: 1, most }) ?? 512;
  const depth = options.number("depth", { least: 1, most });
  const contextLength =
    options.number("context", { least: 1, most }) ??
    options.number("context-length", { least: 1, most }) ??
    Math.max(8192, promptTokens + 1, decodeTokens + 1, (depth ?? 0) + 64);
  return {
    load: { contextLength, ...(kvFormat && { kvFormat }), ...(variant && { variant }) },
    options: {
      decodeTokens,
      promptTokens: [promptTokens],
      runs: options.number("runs", { least: 1, most: 100 }) ?? 5,
      profile: options.flag("profile"),
      ...(depth !== undefined && { depth }),
    },
  };
}

function benchFiles(options: Options): CheckpointFiles {
  const model = options.text("model");
  if (model !== undefined && model !== "nano") return createFolderFiles(model);
  const shape: SyntheticShape | "nano" = options.choice("shape", ["nano", "20b", "120b"]) ?? "nano";
  if (shape === "nano") return createFolderFiles(nanoFolder());
  const layers = options.number("layers", { least: 1, most: 36 });
  return createSyntheticFiles(
    syntheticConfig(shape, layers),
    `synthetic ${shape}${layers === undefined ? "" : `, ${layers} layers`}`,
  );
}
