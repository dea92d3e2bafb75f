import type { Gpu } from "../gpu/gpu.ts";
import { canProfile } from "../gpu/profile.ts";
import { isLeftOut } from "../gpu/steps.ts";
import { timePasses } from "../gpu/time-passes.ts";
import { median, timeEncoding } from "../gpu/time-steps.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { writePass } from "../runtime/passes.ts";
import type { GenerateStats } from "../runtime/types.ts";
import type { Ceiling } from "./ceiling.ts";
import { firstTokenPrompt, tokensAtDepth } from "./check-context.ts";
import { profilePass, promptOf } from "./profile-model.ts";
import {
  type BenchOptions,
  type BenchReport,
  type DecodeRate,
  type PassProfile,
  type Rate,
  reportSchema,
} from "./report.ts";
import { timeGenerations } from "./time-generations.ts";
import { timeByGrammar } from "./time-grammar.ts";
import { timeKernels } from "./time-kernels.ts";
import { createTrafficMeter, weightBytes } from "./traffic.ts";

/** What was found before the model is timed. */
export interface BenchSetting {
  readonly ceiling: Ceiling;
  readonly loadSeconds: number;
  readonly kernelsChecked: readonly string[];
}

/** Times decode and prefill of a loaded model, greedily and ignoring stop tokens. @throws aborted | device-lost */
export async function runBench(
  gpu: Gpu,
  model: LoadedModel,
  { ceiling, loadSeconds, kernelsChecked }: BenchSetting,
  options: BenchOptions,
): Promise<BenchReport> {
  const { decodeTokens, depth } = options;
  const time = (what: string, promptTokens: number, newTokens: number) =>
    timeGenerations(model, { what, promptTokens, newTokens }, options);
  const rates = decodeRates(model, ceiling);
  const timeDecode = async (what: string, atDepth: number, tokens: number): Promise<DecodeRate> => ({
    ...rates(atDepth, tokens, await time(what, Math.max(1, atDepth), tokens)),
    ...(canProfile(gpu) && { gpuMs: await timeTokenOnGpu(gpu, model, Math.max(1, atDepth), tokens - 1) }),
  });
  const decode = await timeDecode(`decode ${decodeTokens}`, 0, decodeTokens);
  const byGrammar =
    options.grammar === true ? { decodeByGrammar: await timeByGrammar(model, decode, options) } : {};
  const prefill: Rate[] = [];
  for (const tokens of options.promptTokens) {
    const all = (await time(`prefill ${tokens}`, tokens, 1)).map((s) => s.prefillTokensPerSecond);
    prefill.push({ tokens, tokensPerSecond: median(all), all });
  }
  const deepTokens = tokensAtDepth(options);
  const atDepth =
    depth === undefined
      ? {}
      : {
          decodeAtDepth: await timeDecode(`decode at depth ${depth}`, depth, deepTokens),
        };
  const first = await time(`first token of a ${firstTokenPrompt}-token prompt`, firstTokenPrompt, 1);
  const cpu = await timeDecodeEncoding(gpu, model);
  return {
    schema: reportSchema,
    info: { ...model.info }, // its bytes are counted as they are read, and the model will be gone
    ceiling,
    memory: memoryUse(model),
    loadSeconds,
    pipelines: countPipelines(model),
    kernelsChecked,
    decode,
    ...atDepth,
    ...byGrammar,
    dispatchesPerToken: decodeSteps(model).length,
    cpu,
    prefill,
    timeToFirstTokenMs: median(first.map((s) => s.timeToFirstTokenMs)),
    ...(options.kernels === true && {
      kernels: await timeKernels(gpu, model, kernelsChecked, { ceiling, options }),
    }),
    ...(options.profile === true &&
      canProfile(gpu) && { profiles: await profiles(gpu, model, ceiling, options) }),
  };
}

function decodeRates(model: LoadedModel, ceiling: Ceiling) {
  const meter = createTrafficMeter(model);
  return (depth: number, tokens: number, stats: readonly GenerateStats[]): DecodeRate => {
    const all = stats.map((s) => s.decodeTokensPerSecond);
    const tokensPerSecond = median(all);
    const bytesPerToken = meter.decodeBytes(Math.max(1, depth) + Math.ceil(tokens / 2));
    const bytesPerSecond = bytesPerToken * tokensPerSecond;
    const shareOfCeiling = bytesPerSecond / ceiling.bytesPerSecond;
    return { tokens, tokensPerSecond, all, depth, bytesPerToken, bytesPerSecond, shareOfCeiling };
  };
}

/** The dispatches of a decoded token. */
const decodeSteps = ({ plan }: LoadedModel) => {
  const run = { numTokens: 1, maxKeys: 1 };
  return [...plan.decode, ...plan.head, ...plan.sample].filter((step) => !isLeftOut(step, run));
};

/** Median milliseconds of `count` tokens from `position` on, whose keys and values are those of the generation before. */
async function timeTokenOnGpu(
  gpu: Gpu,
  model: LoadedModel,
  position: number,
  count: number,
): Promise<number> {
  const { plan, config } = model;
  const runs = Array.from({ length: Math.min(count, gpu.adapter.isSoftware ? 8 : 128) }, (_, i) => ({
    numTokens: 1,
    maxKeys: position + i + 1,
  }));
  writePass(gpu, plan, promptOf(1, config.vocabSize), { position, numTokens: 1 });
  return median(await timePasses(gpu, [...plan.decode, ...plan.head, ...plan.sample], runs));
}

async function timeDecodeEncoding(gpu: Gpu, model: LoadedModel) {
  const position = Math.min(64, model.info.contextLength - 1);
  const run = { numTokens: 1, maxKeys: position + 1 };
  const prepare = () => writePass(gpu, model.plan, [11 % model.config.vocabSize], { position, numTokens: 1 });
  return timeEncoding(gpu, decodeSteps(model), run, {
    prepare,
    ...(gpu.adapter.isSoftware && { rounds: 3 }),
  });
}

function countPipelines({ plan }: LoadedModel): number {
  const steps = [...plan.decode, ...plan.prefill, ...plan.head, ...plan.sample];
  return new Set(steps.map(({ pipeline }) => pipeline.pipeline)).size;
}

function memoryUse({ info, weights, activations }: LoadedModel): BenchReport["memory"] {
  const kvBytes = activations.kv.reduce((sum, { keys, values }) => sum + keys.size + values.size, 0);
  const ofWeights = weightBytes(weights);
  return { weightBytes: ofWeights, kvBytes, otherBytes: info.gpuBytes - ofWeights - kvBytes };
}

async function profiles(
  gpu: Gpu,
  model: LoadedModel,
  ceiling: Ceiling,
  { depth, promptTokens, onProgress = () => {} }: BenchOptions,
): Promise<PassProfile[]> {
  const most = model.plan.maxTokensPerPass;
  const position = Math.min(depth ?? 64, model.info.contextLength - 1);
  const numTokens = Math.min(most, promptTokens[0] ?? most);
  onProgress("time of each kernel");
  return [
    await profilePass(gpu, model, { pass: "decode", numTokens: 1, position }, ceiling),
    await profilePass(gpu, model, { pass: "prefill", numTokens, position: 0 }, ceiling),
  ];
}
