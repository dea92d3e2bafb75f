import { type KernelTime, profilePass } from "../../bench/profile-model.ts";
import { type BenchReport, runBench } from "../../bench/run-bench.ts";
import { createSyntheticFiles, type SyntheticShape, syntheticConfig } from "../../bench/synthetic-files.ts";
import { openGpu } from "../../gpu/gpu.ts";
import { createEngine } from "../../runtime/engine.ts";
import { loadModel } from "../../runtime/loaded-model.ts";
import { readManifest } from "../../weights/manifest.ts";
import type { CheckpointFiles } from "../../weights/types.ts";
import { openDawn } from "../dawn.ts";
import { nanoFolder } from "../embedded-model.ts";
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
  const setting = readSetting(options);
  const files = benchFiles(options);
  await readManifest(files); // a checkpoint that is wrong is told before a GPU is opened
  const gpu = await openDawn(adapterChoice(options), (sentence) => terminal.err(`${sentence}\n`));
  await (options.flag("profile") ? profile : bench)(gpu, files, setting, terminal);
}

/** What the command line asks for, checked. */
function readSetting(options: Options) {
  const kvFormat = options.choice("kv", ["f32", "f16"]);
  const variant = options.choice("variant", ["subgroups", "workgroup"]);
  return {
    decodeTokens: options.number("tokens", { least: 2, most }) ?? 128,
    promptTokens: options.number("prompt", { least: 1, most }) ?? 512,
    runs: options.number("runs", { least: 1, most: 100 }) ?? 5,
    depth: options.number("depth", { least: 1, most }),
    context:
      options.number("context", { least: 1, most }) ?? options.number("context-length", { least: 1, most }),
    forced: { ...(kvFormat && { kvFormat }), ...(variant && { variant }) },
    isJson: options.flag("json"),
  };
}
type Setting = ReturnType<typeof readSetting>;

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

async function bench(
  gpu: GPU,
  files: CheckpointFiles,
  setting: Setting,
  { out, err }: Terminal,
): Promise<void> {
  const { decodeTokens, promptTokens, depth, runs } = setting;
  const say = (sentence: string) => err(`${sentence}\n`);
  const engine = await createEngine(gpu);
  try {
    const started = performance.now();
    const info = await engine.load(files, {
      contextLength: setting.context ?? Math.max(8192, promptTokens + 1, decodeTokens + 1, (depth ?? 0) + 64),
      ...setting.forced,
    });
    const seconds = (performance.now() - started) / 1000;
    say(`loaded ${(info.model.weightBytes / 1e9).toFixed(3)} GB in ${seconds.toFixed(1)} s`);
    const report = await runBench(engine, info, {
      promptTokens: [promptTokens],
      decodeTokens,
      ...(depth !== undefined && { depth }),
      runs,
      onProgress: say,
    });
    out(`${setting.isJson ? JSON.stringify(report) : benchTable(report)}\n`);
  } finally {
    engine.dispose();
  }
}

/** Time per kernel of one decode step at --depth, and of one prefill pass. */
async function profile(
  provider: GPU,
  files: CheckpointFiles,
  setting: Setting,
  { out }: Terminal,
): Promise<void> {
  const position = setting.depth ?? 64;
  const numTokens = Math.min(512, setting.promptTokens);
  const gpu = await openGpu(provider);
  try {
    const contextLength = setting.context ?? Math.max(8192, position + 1);
    const model = await loadModel(gpu, files, { contextLength, ...setting.forced });
    for (const pass of ["decode", "prefill"] as const) {
      const what = pass === "decode" ? `decode at depth ${position}` : `prefill of ${numTokens} tokens`;
      out(
        profileTable(what, await profilePass(gpu, model, pass, numTokens, pass === "decode" ? position : 0)),
      );
    }
    model.destroy();
  } finally {
    gpu.destroy();
  }
}

function profileTable(what: string, times: readonly KernelTime[]): string {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = times.map(
    ({ kernel, dispatches, milliseconds }) =>
      `  ${kernel.padEnd(28)} ${String(dispatches).padStart(4)} x ${milliseconds.toFixed(3).padStart(9)} ms ${((100 * milliseconds) / total).toFixed(1).padStart(5)} %\n`,
  );
  return `${what}: ${total.toFixed(3)} ms\n${rows.join("")}`;
}

/** A report as rows for people. */
export function benchTable({
  info,
  decode,
  decodeAtDepth,
  prefill,
  timeToFirstTokenMs,
}: BenchReport): string {
  const { adapter, model } = info;
  const rows = [
    `adapter   ${adapter.vendor} ${adapter.architecture} ${adapter.description} (${info.variant}, MXFP4 through ${info.mxfp4 === "half" ? "f16" : "f32 bits"}${adapter.isSoftware ? ", software" : ""})`,
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
