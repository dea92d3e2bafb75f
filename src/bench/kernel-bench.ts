import { EngineError, throwIfAborted } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { encodeSteps, submit } from "../gpu/steps.ts";
import { createGpuTimer, type GpuTimer, timeRound } from "../gpu/time-steps.ts";
import type { PassRun } from "../model/plan-types.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { writePass } from "../runtime/passes.ts";
import { type BenchRequest, withModel, withoutFaults } from "./bench-model.ts";
import { measureReadCeiling } from "./ceiling.ts";
import { promptOf, ratesOf } from "./profile-model.ts";
import { type KernelReport, type KernelResult, reportSchema } from "./report.ts";
import { checkKernels, kernelsOf, targetOf } from "./self-tests.ts";
import { addTraffic, createTrafficMeter } from "./traffic.ts";

/** Which kernels are timed; all of the plan's where `kernel` is left out. */
export interface KernelRequest extends BenchRequest {
  readonly kernel?: string;
}

/**
 * Times kernels one by one in the model's real sizes: all of a kernel's dispatches in a pass, one after the other and
 * over again, so that each finds its layer's weights in memory and not in a cache.
 * @throws request-invalid where the plan has no such kernel; internal where one fails its self-test
 */
export function benchKernels(gpu: Gpu, request: KernelRequest): Promise<KernelReport> {
  return withoutFaults(gpu, async () => {
    const { onProgress = () => {}, signal } = request.options;
    onProgress("read bandwidth of this adapter");
    const ceiling = await measureReadCeiling(gpu);
    return withModel(gpu, request, async (model) => {
      const known = kernelsOf(model.plan);
      const { kernel: only } = request;
      if (only !== undefined && !known.includes(only))
        throw new EngineError(
          "request-invalid",
          `There is no kernel ${only} in this model's plan; it has ${known.join(", ")}.`,
        );
      const kernels = only === undefined ? known : [only];
      await checkKernels(gpu, kernels, targetOf(gpu, model), { signal });
      const results: KernelResult[] = [];
      const timer = createGpuTimer(gpu);
      try {
        for (const kernel of kernels) {
          throwIfAborted(signal);
          onProgress(kernel);
          for (const pass of ["decode", "prefill"] as const)
            results.push(...(await timeKernel(gpu, timer, model, { kernel, pass, request, ceiling })));
        }
      } finally {
        timer.destroy();
      }
      return { schema: reportSchema, info: { ...model.info }, ceiling, kernels: results };
    });
  });
}

interface Timed {
  readonly kernel: string;
  readonly pass: "decode" | "prefill";
  readonly request: KernelRequest;
  readonly ceiling: KernelReport["ceiling"];
}

/** One result, or none where the pass does not have the kernel. */
async function timeKernel(
  gpu: Gpu,
  timer: GpuTimer,
  model: LoadedModel,
  { kernel, pass, request: { options }, ceiling }: Timed,
): Promise<KernelResult[]> {
  const { plan, config } = model;
  const all = pass === "decode" ? [...plan.decode, ...plan.head, ...plan.sample] : plan.prefill;
  const steps = all.filter(({ pipeline }) => pipeline.id === kernel);
  if (steps.length === 0) return [];
  const position = pass === "decode" ? Math.min(options.depth ?? 64, model.info.contextLength - 1) : 0;
  const numTokens =
    pass === "decode" ? 1 : Math.min(plan.maxTokensPerPass, options.promptTokens[0] ?? plan.maxTokensPerPass);
  const run: PassRun = { numTokens, maxKeys: position + numTokens };
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
      ...ratesOf(traffic, milliseconds, ceiling.bytesPerSecond),
    },
  ];
}
