import { EngineError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { canProfile } from "../gpu/profile.ts";
import { type LoadedModel, loadModel } from "../runtime/loaded-model.ts";
import type { LoadModelOptions } from "../runtime/plan-options.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { bytesText } from "./amounts.ts";
import { measureCeiling } from "./ceiling.ts";
import { checkContext } from "./check-context.ts";
import type { BenchOptions, BenchReport } from "./report.ts";
import { runBench } from "./run-bench.ts";
import { checkKernels, kernelsOf, targetOf } from "./self-tests.ts";

/** What is timed: a checkpoint, how it is loaded, and what is done with it. */
export interface BenchRequest {
  readonly files: CheckpointFiles;
  readonly load: LoadModelOptions;
  readonly options: BenchOptions;
}

/**
 * A whole benchmark: the read bandwidth, loading, every kernel against its reference, and then the rates. Leaves
 * nothing on the GPU but compiled kernels.
 * @throws request-invalid before anything is loaded where the context is too short; internal where the GPU reported an error meanwhile, and what loading and running throw
 */
export function benchModel(gpu: Gpu, request: BenchRequest): Promise<BenchReport> {
  return withoutFaults(gpu, async () => {
    const { onProgress = () => {}, profile } = request.options;
    if (request.load.contextLength !== undefined) checkContext(request.load.contextLength, request.options);
    if (profile === true && !canProfile(gpu))
      onProgress("this adapter has no timestamp queries: the report will be without profiles");
    onProgress("read bandwidth and arithmetic of this adapter");
    const ceiling = await measureCeiling(gpu);
    return withModel(gpu, request, async (model, loadSeconds) => {
      onProgress("comparing every kernel with its reference");
      const { signal } = request.options;
      const kernelsChecked = await checkKernels(gpu, kernelsOf(model.plan), targetOf(gpu, model), { signal });
      return runBench(gpu, model, { ceiling, loadSeconds, kernelsChecked }, request.options);
    });
  });
}

/** Loads a model for `use` and frees it afterwards. */
export async function withModel<T>(
  gpu: Gpu,
  { files, load, options: { onProgress = () => {}, signal } }: BenchRequest,
  use: (model: LoadedModel, loadSeconds: number) => Promise<T>,
): Promise<T> {
  onProgress(`loading ${files.id}`);
  const started = performance.now();
  const model = await loadModel(gpu, files, { ...load, ...(signal && { signal }) });
  try {
    const seconds = (performance.now() - started) / 1000;
    onProgress(`loaded ${bytesText(model.info.model.weightBytes)} in ${seconds.toFixed(1)} s`);
    return await use(model, seconds);
  } finally {
    model.destroy();
  }
}

/** The result of `work`, unless the GPU reported an error during it: then figures would mean nothing. */
export async function withoutFaults<T>({ device }: Gpu, work: () => Promise<T>): Promise<T> {
  let fault: string | undefined;
  const onError = (event: Event) => {
    fault ??= (event as GPUUncapturedErrorEvent).error.message;
  };
  device.addEventListener("uncapturederror", onError);
  try {
    const result = await work();
    if (fault !== undefined) throw new EngineError("internal", `The GPU reported an error: ${fault}`);
    return result;
  } finally {
    device.removeEventListener("uncapturederror", onError);
  }
}
