import { EngineError, isEngineError, throwIfAborted } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { attentionSelfTests } from "../kernels/attention/attention.self-tests.ts";
import { qkvRopeSelfTests } from "../kernels/attention/qkv-rope.self-tests.ts";
import { embedSelfTests } from "../kernels/embed/embed.self-tests.ts";
import { linearSelfTests } from "../kernels/linear/linear.self-tests.ts";
import { moeSelfTests } from "../kernels/moe/moe.self-tests.ts";
import { rmsNormSelfTests } from "../kernels/norm/rms-norm.self-tests.ts";
import { sampleSelfTests } from "../kernels/sample/sample.self-tests.ts";
import type { SelfTest, SelfTestTarget } from "../kernels/self-test.ts";
import type { ModelPlan } from "../model/plan-types.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";

/** A small case for every kernel of a plan. */
export const selfTests: readonly SelfTest[] = [
  ...embedSelfTests,
  ...rmsNormSelfTests,
  ...linearSelfTests,
  ...qkvRopeSelfTests,
  ...attentionSelfTests,
  ...moeSelfTests,
  ...sampleSelfTests,
];

/** Ids of the kernels that a plan dispatches, each once. */
export const kernelsOf = ({ decode, prefill, head, sample }: ModelPlan): string[] => [
  ...new Set([...decode, ...prefill, ...head, ...sample].map(({ pipeline }) => pipeline.id)),
];

/** How a model's kernels were compiled. */
export const targetOf = (
  gpu: Gpu,
  { info, config, planOptions }: Pick<LoadedModel, "info" | "config" | "planOptions">,
): SelfTestTarget => ({
  variant: planOptions.variant,
  tuning: planOptions.tuning,
  kvFormat: planOptions.kvFormat,
  dense: planOptions.dense,
  activations: planOptions.activations,
  expertFormat: config.expertFormat,
  mxfp4: info.mxfp4,
  isSoftware: gpu.adapter.isSoftware,
});

/**
 * Runs the self-tests of kernels on this adapter and returns their ids.
 * @throws internal naming the first kernel that fails, or that has no test: neither may be timed
 */
export async function checkKernels(
  gpu: Gpu,
  kernels: readonly string[],
  target: SelfTestTarget,
  {
    signal,
    tests = selfTests,
  }: { readonly signal?: AbortSignal | undefined; readonly tests?: readonly SelfTest[] } = {},
): Promise<string[]> {
  for (const kernel of kernels) {
    const own = tests.filter((test) => test.kernel === kernel);
    if (own.length === 0) throw refused(kernel, "it has no self-test");
    for (const test of own) {
      throwIfAborted(signal);
      try {
        await test.run(gpu, target);
      } catch (error) {
        if (isEngineError(error)) throw error;
        throw refused(kernel, error instanceof Error ? error.message : String(error), error);
      }
    }
  }
  return [...kernels];
}

const refused = (kernel: string, why: string, cause?: unknown) =>
  new EngineError(
    "internal",
    `Kernel ${kernel} is not timed, because it was not shown to be right on this adapter: ${why}.`,
    { details: { kernel }, cause },
  );
