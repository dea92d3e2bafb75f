import { type BenchRequest, benchModel } from "../../bench/bench-model.ts";
import { checkContext, neededContext } from "../../bench/check-context.ts";
import { benchKernels, type KernelRequest } from "../../bench/kernel-bench.ts";
import { benchTable, kernelTable } from "../../bench/report-table.ts";
import { type BenchShape, benchShapes, createShapeFiles, layersOf } from "../../bench/shapes.ts";
import { type Gpu, openGpu } from "../../gpu/gpu.ts";
import { defaultTuning } from "../../kernels/tuning.ts";
import { overrideTuning, type TuningOverrides } from "../../kernels/tuning-candidates.ts";
import { readManifest } from "../../weights/manifest.ts";
import { tokenizerName, withTokenizerFrom } from "../../weights/tokenizer-source.ts";
import type { CheckpointFiles } from "../../weights/types.ts";
import { openDawn } from "../dawn.ts";
import { nanoFolder } from "../embedded-model.ts";
import { usageError } from "../exit.ts";
import { createFolderFiles } from "../folder-files.ts";
import { openGrammar } from "../open-grammar.ts";
import { adapterChoice, asksForHelp, type Options, parseOptions, refuseFree } from "../options.ts";
import { createSettingsFile } from "../settings-file.ts";
import type { Terminal } from "../terminal.ts";

const usage = `usage: npm run bench -- [--shape nano|toy|20b|120b] [--layers N] [--model DIR|nano] [--prompt N] [--tokens N] [--runs N] [--context N]
  [--kv f32|f16] [--dense bf16|int8] [--activations f32|int8] [--variant subgroups|workgroup] [--no-matrices]
  [--adapter auto|swiftshader] [--depth N] [--json] [--profile] [--grammar [--tokenizer DIR]] [--kernels | --kernel ID] [--tune auto|table|measure] [--variants ROW.SIZE=VALUE,…]
  nano is the embedded model; toy, 20b and 120b are random weights, made as they are read.
  --profile adds the time of each kernel in a pass, --grammar the rate of answers kept to a JSON schema; --kernels (or --kernel with one's name) times them alone instead.
  --variants forces kernel sizes, such as gateUpVec.rows=8; docs/bench.md explains every option and field.`;

const optionTable = {
  shape: { type: "string" },
  layers: { type: "string" },
  prompt: { type: "string" },
  tokens: { type: "string" },
  runs: { type: "string" },
  context: { type: "string" },
  json: { type: "boolean" },
  profile: { type: "boolean" },
  grammar: { type: "boolean" },
  depth: { type: "string" },
  kernels: { type: "boolean" },
  kernel: { type: "string" },
  tune: { type: "string" },
  variants: { type: "string" },
} as const;

const most = 131072;

/** `bench`: times decode and prefill of a model, or with --profile its kernels. Results go to stdout, as JSON with --json. */
export async function benchCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  if (asksForHelp(args)) return terminal.out(`${usage}\n`);
  const options = parseOptions(args, optionTable);
  refuseFree(options);
  refuseWhatChangesNothing(options);
  const setting = readSetting(options);
  const isOfKernels = options.flag("kernels") || setting.kernel !== undefined;
  if (!isOfKernels) checkContext(setting.load.contextLength, setting.options);
  const files = benchFiles(options);
  await readManifest(files); // a checkpoint that is wrong is told before a GPU is opened
  if (setting.options.grammar) await checkTokenizer(files);
  const say = (sentence: string) => terminal.err(`${sentence}\n`);
  const gpu = await openGpu(await openDawn(adapterChoice(options), say));
  try {
    const request = { files, load: setting.load, options: { ...setting.options, onProgress: say } };
    const text = await (isOfKernels
      ? kernelText(
          gpu,
          { ...request, ...(setting.kernel && { kernel: setting.kernel }) },
          options.flag("json"),
        )
      : modelText(gpu, request, options.flag("json")));
    terminal.out(`${text}\n`);
  } finally {
    gpu.destroy();
  }
}

async function modelText(gpu: Gpu, request: BenchRequest, isJson: boolean): Promise<string> {
  const report = await benchModel(gpu, request);
  return isJson ? JSON.stringify(report) : benchTable(report);
}

async function kernelText(gpu: Gpu, request: KernelRequest, isJson: boolean): Promise<string> {
  const report = await benchKernels(gpu, request);
  return isJson ? JSON.stringify(report) : kernelTable(report);
}

function refuseWhatChangesNothing(options: Options): void {
  const withGrammar = options.flag("grammar");
  for (const name of withGrammar ? ["lora"] : ["lora", "tokenizer"]) {
    if (options.text(name) !== undefined)
      throw usageError(`bench takes no --${name}: rates do not depend on it.`);
  }
  if (withGrammar && (options.flag("kernels") || options.text("kernel") !== undefined))
    throw usageError("--grammar times whole answers, --kernels and --kernel time kernels alone: give one.");
}

/** A grammar matches the tokens' text. The tokenizer itself is read when the model is loaded. */
async function checkTokenizer(files: CheckpointFiles): Promise<void> {
  if ((await files.readText(tokenizerName)) !== undefined) return;
  throw usageError(
    `--grammar needs a tokenizer, and ${files.id} has none: name a folder with a tokenizer.json by --tokenizer.`,
  );
}

/** What the command line asks for, checked. */
function readSetting(options: Options) {
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const dense = options.choice("dense", ["bf16", "int8"]);
  const activations = options.choice("activations", ["f32", "int8"]);
  const variant = options.choice("variant", ["subgroups", "workgroup"]);
  const tune = options.choice("tune", ["auto", "table", "measure"]);
  const variants = options.text("variants");
  const kernel = options.text("kernel");
  const decodeTokens = options.number("tokens", { least: 2, most }) ?? 128;
  const promptTokens = options.number("prompt", { least: 1, most }) ?? 512;
  const depth = options.number("depth", { least: 1, most });
  const contextLength =
    options.number("context", { least: 1, most }) ??
    options.number("context-length", { least: 1, most }) ??
    Math.max(
      8192,
      neededContext({ promptTokens: [promptTokens], decodeTokens, ...(depth !== undefined && { depth }) }),
    );
  return {
    ...(kernel !== undefined && { kernel }),
    load: {
      contextLength,
      settings: createSettingsFile(),
      ...(options.flag("grammar") && { openGrammar }),
      ...(kvFormat && { kvFormat }),
      ...(dense && { dense }),
      ...(activations && { activations }),
      ...(variant && { variant }),
      ...(options.flag("no-matrices") && { matrices: false }),
      ...(tune && { tune }),
      ...(variants !== undefined && { tuning: parseTuning(variants) }),
    },
    options: {
      decodeTokens,
      promptTokens: [promptTokens],
      runs: options.number("runs", { least: 1, most: 100 }) ?? 5,
      profile: options.flag("profile"),
      grammar: options.flag("grammar"),
      ...(depth !== undefined && { depth }),
    },
  };
}

function benchFiles(options: Options): CheckpointFiles {
  const tokenizer = options.text("tokenizer");
  const files = modelFiles(options);
  return tokenizer === undefined
    ? files
    : withTokenizerFrom(files, createFolderFiles(tokenizer, tokenizerName));
}

function modelFiles(options: Options): CheckpointFiles {
  const model = options.text("model");
  if (model !== undefined && options.text("shape") !== undefined)
    throw usageError("--model names a checkpoint, --shape random weights or the embedded model: give one.");
  const shape: BenchShape | "nano" = options.choice("shape", ["nano", ...benchShapes]) ?? "nano";
  if (model === undefined && shape !== "nano")
    return createShapeFiles(shape, options.number("layers", { least: 1, most: layersOf(shape) }));
  if (options.text("layers") !== undefined)
    throw usageError(
      `--layers cuts random weights (--shape ${benchShapes.join(", ")}): other models are whole.`,
    );
  return createFolderFiles(model === undefined || model === "nano" ? nanoFolder() : model);
}

/** `row.size=value,…` as overrides. @throws request-invalid */
function parseTuning(text: string): TuningOverrides {
  const overrides: Record<string, Record<string, number | string>> = {};
  for (const part of text.split(",")) {
    const [, row = "", size = "", value = ""] = /^(\w+)\.(\w+)=(\w+)$/.exec(part.trim()) ?? [];
    if (row === "") throw usageError(`--variants takes parts such as gateUpVec.rows=8, got "${part}".`);
    overrides[row] = { ...overrides[row], [size]: /^\d+$/.test(value) ? Number(value) : value };
  }
  overrideTuning(defaultTuning, overrides); // a mistake is told before a GPU is opened
  return overrides;
}
