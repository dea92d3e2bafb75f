import type { Gpu } from "../gpu/gpu.ts";
import { profileSteps } from "../gpu/profile.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { writePass } from "../runtime/scheduler.ts";

/** Time of one kernel over a whole pass. */
export interface KernelTime {
  readonly kernel: string;
  /** Dispatches in the pass. */
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** GPU time by kernel of one decode step at `position`, or of one prefill pass of `numTokens`, from timestamps. */
export async function profilePass(
  gpu: Gpu,
  model: LoadedModel,
  pass: "decode" | "prefill",
  numTokens: number,
  position: number,
): Promise<KernelTime[]> {
  const { plan, config } = model;
  const count = pass === "decode" ? 1 : numTokens;
  const steps = [...(pass === "decode" ? plan.decode : plan.prefill), ...plan.head];
  const tokens = Array.from({ length: count }, (_, i) => (i * 7919 + 11) % config.vocabSize);
  const prepare = () => writePass(gpu, plan, tokens, { position, numTokens: count });
  const times = await profileSteps(gpu, steps, { numTokens: count, maxKeys: position + count }, prepare);
  const byKernel = new Map<string, { dispatches: number; milliseconds: number }>();
  for (const { kernel, milliseconds } of times) {
    const sum = byKernel.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
    byKernel.set(kernel, { dispatches: sum.dispatches + 1, milliseconds: sum.milliseconds + milliseconds });
  }
  return [...byKernel]
    .map(([kernel, sum]) => ({ kernel, ...sum }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
