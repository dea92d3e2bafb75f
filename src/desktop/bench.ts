// npm run bench: decode and prefill rates of a model, with the adapter's name; --json for programs.
import { profilePass } from "../bench/profile-model.ts";
import { type BenchReport, runBench } from "../bench/run-bench.ts";
import { createSyntheticFiles, type SyntheticShape, syntheticConfig } from "../bench/synthetic-files.ts";
import { toEngineError } from "../errors.ts";
import { openGpu } from "../gpu/gpu.ts";
import { createEngine } from "../runtime/engine.ts";
import { loadModel } from "../runtime/loaded-model.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { openDawn } from "./dawn.ts";
import { nanoFolder } from "./embedded-model.ts";
import { exitCodes } from "./exit.ts";
import { createFolderFiles } from "./folder-files.ts";
import { adapterChoice, type Options, parseOptions } from "./options.ts";

const usage = `usage: npm run bench -- [--shape nano|20b|120b] [--layers N] [--model DIR] [--prompt N] [--tokens N] [--runs N] [--context N]
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
  help: { type: "boolean" },
} as const;

const most = 131072;

function benchFiles(options: Options): CheckpointFiles {
  const model = options.text("model");
  if (model !== undefined) return createFolderFiles(model);
  const shape: SyntheticShape | "nano" = options.choice("shape", ["nano", "20b", "120b"]) ?? "nano";
  if (shape === "nano") return createFolderFiles(nanoFolder());
  const layers = options.number("layers", { least: 1, most: 36 });
  return createSyntheticFiles(
    syntheticConfig(shape, layers),
    `synthetic ${shape}${layers === undefined ? "" : `, ${layers} layers`}`,
  );
}

async function bench(options: Options): Promise<void> {
  const files = benchFiles(options);
  if (options.flag("profile")) return profile(options, files);
  const decodeTokens = options.number("tokens", { least: 2, most }) ?? 128;
  const promptTokens = options.number("prompt", { least: 1, most }) ?? 512;
  const depth = options.number("depth", { least: 1, most });
  const contextLength =
    options.number("context", { least: 1, most }) ??
    Math.max(8192, promptTokens + 1, decodeTokens + 1, (depth ?? 0) + 64);
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const variant = options.choice("variant", ["subgroups", "workgroup"]);
  const say = (sentence: string) => process.stderr.write(`${sentence}\n`);
  const engine = await createEngine(await openDawn(adapterChoice(options), say));
  try {
    const started = performance.now();
    const info = await engine.load(files, {
      contextLength,
      ...(kvFormat && { kvFormat }),
      ...(variant && { variant }),
    });
    say(
      `loaded ${(info.model.weightBytes / 1e9).toFixed(3)} GB in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
    const runs = options.number("runs", { least: 1, most: 100 }) ?? 5;
    const report = await runBench(engine, info, {
      promptTokens: [promptTokens],
      decodeTokens,
      ...(depth !== undefined && { depth }),
      runs,
      onProgress: say,
    });
    process.stdout.write(`${options.flag("json") ? JSON.stringify(report) : table(report)}\n`);
  } finally {
    engine.dispose();
  }
}

/** Time per kernel of one decode step in the middle of --tokens, and of one prefill pass. */
async function profile(options: Options, files: CheckpointFiles): Promise<void> {
  const position = options.number("depth", { least: 0, most }) ?? 64;
  const numTokens = Math.min(512, options.number("prompt", { least: 1, most }) ?? 512);
  const gpu = await openGpu(
    await openDawn(adapterChoice(options), (sentence) => process.stderr.write(`${sentence}\n`)),
  );
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const model = await loadModel(gpu, files, {
    contextLength: Math.max(8192, position + 1),
    ...(kvFormat && { kvFormat }),
  });
  for (const pass of ["decode", "prefill"] as const) {
    const times = await profilePass(gpu, model, pass, numTokens, pass === "decode" ? position : 0);
    const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const rows = times.map(
      ({ kernel, dispatches, milliseconds }) =>
        `  ${kernel.padEnd(28)} ${String(dispatches).padStart(4)} x ${milliseconds.toFixed(3).padStart(9)} ms ${((100 * milliseconds) / total).toFixed(1).padStart(5)} %`,
    );
    process.stdout.write(
      `${pass} ${pass === "decode" ? `at depth ${position}` : `of ${numTokens} tokens`}: ${total.toFixed(3)} ms\n${rows.join("\n")}\n`,
    );
  }
  model.destroy();
  gpu.destroy();
}

function table({ info, decode, decodeAtDepth, prefill, timeToFirstTokenMs }: BenchReport): string {
  const { adapter, model } = info;
  const rows = [
    `adapter   ${adapter.vendor} ${adapter.architecture} ${adapter.description} (${info.variant}${adapter.isSoftware ? ", software" : ""})`,
    `model     ${model.id}, ${(model.weightBytes / 1e9).toFixed(3)} GB of weights, ${(info.gpuBytes / 1e9).toFixed(3)} GB on the GPU, context ${info.contextLength}, KV ${info.kvFormat}`,
    `decode    ${decode.tokensPerSecond.toFixed(1)} tokens/s over ${decode.tokens} tokens from an empty context`,
    ...(decodeAtDepth === undefined
      ? []
      : [
          `          ${decodeAtDepth.tokensPerSecond.toFixed(1)} tokens/s at a depth of ${decodeAtDepth.depth} tokens`,
        ]),
    ...prefill.map(
      ({ tokens, tokensPerSecond }) => `prefill   ${tokensPerSecond.toFixed(1)} tokens/s, ${tokens} tokens`,
    ),
    `first     ${timeToFirstTokenMs.toFixed(1)} ms to the first token of a 32-token prompt`,
  ];
  return rows.join("\n");
}

try {
  const options = parseOptions(process.argv.slice(2), optionTable);
  if (options.flag("help")) process.stdout.write(`${usage}\n`);
  else await bench(options);
} catch (error) {
  const known = toEngineError(error);
  process.stderr.write(`${known.message}\n`);
  process.exitCode =
    known.code === "request-invalid"
      ? exitCodes.badInput
      : known.code === "adapter-unavailable"
        ? exitCodes.noAdapter
        : exitCodes.failed;
}
