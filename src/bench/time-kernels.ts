import { throwIfAborted } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { encodeSteps, isLeftOut, submit } from "../gpu/steps.ts";
import { createGpuTimer, type GpuTimer, timeRound } from "../gpu/time-steps.ts";
import type { PassRun } from "../model/plan-types.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { writePass } from "../runtime/passes.ts";
import type { Ceiling } from "./ceiling.ts";
import { promptOf, ratesOf } from "./profile-model.ts";
import type { BenchOptions, KernelResult } from "./report.ts";
import { addTraffic, createTrafficMeter } from "./traffic.ts";

export interface KernelTiming {
  readonly ceiling: Ceiling;
  readonly options: Pick<BenchOptions, "depth" | "promptTokens" | "runs" | "onProgress" | "signal">;
}

/** Times kernels of a plan one by one, each in the passes that have it. @throws aborted | device-lost */
export async function timeKernels(
  gpu: Gpu,
  model: LoadedModel,
  kernels: readonly string[],
  timing: KernelTiming,
): Promise<KernelResult[]> {
  const { onProgress = () => {}, signal } = timing.options;
  const results: KernelResult[] = [];
  const timer = createGpuTimer(gpu);
  try {
    await warmUp(gpu, timer, model);
    for (const kernel of kernels) {
      throwIfAborted(signal);
      onProgress(kernel);
      for (const pass of ["decode", "prefill"] as const)
        results.push(...(await timeKernel(gpu, timer, model, { ...timing, kernel, pass })));
    }
    return results;
  } finally {
    timer.destroy();
  }
}

/**
 * Decodes for a while: self-tests leave the GPU idle, and the kernel timed first after them was at times three times too
 * slow (`embed` on an NVIDIA H200: 10 to 12 us in some reports, 3.4 in others).
 */
async function warmUp(gpu: Gpu, timer: GpuTimer, { plan }: LoadedModel): Promise<void> {
  writePass(gpu, plan, [0], { position: 0, numTokens: 1 });
  const leastMs = gpu.adapter.isSoftware ? 0 : 200;
  await timeRound(timer, plan.decode, { numTokens: 1, maxKeys: 1 }, { leastMs, runs: 1 });
}

interface OneKernel extends KernelTiming {
  readonly kernel: string;
  readonly pass: KernelResult["pass"];
}

/** One result, or none where the pass does not have the kernel. */
async function timeKernel(
  gpu: Gpu,
  timer: GpuTimer,
  model: LoadedModel,
  { kernel, pass, options, ceiling }: OneKernel,
): Promise<KernelResult[]> {
  const { plan, config } = model;
  const all = pass === "decode" ? [...plan.decode, ...plan.head, ...plan.sample] : plan.prefill;
  const position = pass === "decode" ? Math.min(options.depth ?? 64, model.info.contextLength - 1) : 0;
  const numTokens =
    pass === "decode" ? 1 : Math.min(plan.maxTokensPerPass, options.promptTokens[0] ?? plan.maxTokensPerPass);
  const run: PassRun = { numTokens, maxKeys: position + numTokens };
  const steps = all.filter((step) => step.pipeline.id === kernel && !isLeftOut(step, run));
  if (steps.length === 0) return [];
  // A whole pass first: it leaves routing and activations as they are in use, which repeated updates would spoil.
  writePass(gpu, plan, promptOf(numTokens, config.vocabSize), { position, numTokens });
  submit(gpu, "kernel bench", (encoder) => encodeSteps(encoder, plan[pass], run, "kernel bench"));
  const leastMs = gpu.adapter.isSoftware ? 0 : 20;
  const milliseconds = await timeRound(timer, steps, run, {
    leastMs,
    runs: gpu.adapter.isSoftware ? 1 : (options.runs ?? 5),
  });
  const meter = createTrafficMeter(model);
  const traffic = steps.map((step) => meter.ofStep(step, run)).reduce(addTraffic);
  return [
    {
      ...{ kernel, pass, numTokens, position, dispatches: steps.length, milliseconds },
      microsecondsPerDispatch: (1000 * milliseconds) / steps.length,
      ...ratesOf(traffic, milliseconds, ceiling),
    },
  ];
}
