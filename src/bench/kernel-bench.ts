import { EngineError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type BenchRequest, withModel, withoutFaults } from "./bench-model.ts";
import { measureCeiling } from "./ceiling.ts";
import { type KernelReport, reportSchema } from "./report.ts";
import { checkKernels, kernelsOf, targetOf } from "./self-tests.ts";
import { timeKernels } from "./time-kernels.ts";

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
    onProgress("read bandwidth and arithmetic of this adapter");
    const ceiling = await measureCeiling(gpu);
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
      const results = await timeKernels(gpu, model, kernels, { ceiling, options: request.options });
      return { schema: reportSchema, info: { ...model.info }, ceiling, kernels: results };
    });
  });
}
