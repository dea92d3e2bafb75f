import type { Gpu } from "../gpu/gpu.ts";
import { profileSteps } from "../gpu/profile.ts";
import { isLeftOut } from "../gpu/steps.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import { writePass } from "../runtime/passes.ts";
import type { Ceiling } from "./ceiling.ts";
import type { KernelTime, PassProfile } from "./report.ts";
import { addTraffic, createTrafficMeter, type Traffic } from "./traffic.ts";

export interface ProfiledPass {
  readonly pass: PassProfile["pass"];
  /** Tokens of a prefill pass; a decode step has one. */
  readonly numTokens: number;
  /** Tokens of context before it. */
  readonly position: number;
}

/**
 * GPU time by kernel of one decode step or of a prompt's last pass, its next token included, from timestamps.
 * @throws request-invalid where the adapter has none
 */
export async function profilePass(
  gpu: Gpu,
  model: LoadedModel,
  { pass, numTokens, position }: ProfiledPass,
  ceiling: Ceiling,
): Promise<PassProfile> {
  const { plan, config } = model;
  const count = pass === "decode" ? 1 : numTokens;
  const run = { numTokens: count, maxKeys: position + count };
  const steps = [...plan[pass], ...plan.head, ...plan.sample].filter((step) => !isLeftOut(step, run));
  const prepare = () =>
    writePass(gpu, plan, promptOf(count, config.vocabSize), { position, numTokens: count });
  const times = await profileSteps(gpu, steps, run, prepare);
  const meter = createTrafficMeter(model);
  const byKernel = new Map<string, { dispatches: number; milliseconds: number; traffic: Traffic }>();
  for (const [i, { kernel, milliseconds }] of times.entries()) {
    const step = steps[i];
    if (step === undefined) continue;
    const sum = byKernel.get(kernel);
    const traffic = meter.ofStep(step, run);
    byKernel.set(kernel, {
      dispatches: (sum?.dispatches ?? 0) + 1,
      milliseconds: (sum?.milliseconds ?? 0) + milliseconds,
      traffic: sum === undefined ? traffic : addTraffic(sum.traffic, traffic),
    });
  }
  const kernels = [...byKernel]
    .map(([kernel, { dispatches, milliseconds, traffic }]) => ({
      kernel,
      dispatches,
      milliseconds,
      ...ratesOf(traffic, milliseconds, ceiling),
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
  const milliseconds = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  return { pass, numTokens: count, position, milliseconds, kernels };
}

/** What a time means for that much work. */
export function ratesOf(
  { bytes, operations }: Traffic,
  milliseconds: number,
  ceiling: Ceiling,
): Pick<
  KernelTime,
  "bytes" | "bytesPerSecond" | "shareOfCeiling" | "operationsPerSecond" | "shareOfArithmetic"
> {
  const perSecond = (amount: number) => (milliseconds > 0 ? (amount * 1000) / milliseconds : 0);
  return {
    bytes,
    bytesPerSecond: perSecond(bytes),
    shareOfCeiling: perSecond(bytes) / ceiling.bytesPerSecond,
    operationsPerSecond: perSecond(operations),
    shareOfArithmetic: perSecond(operations) / ceiling.operationsPerSecond,
  };
}

/** Ids spread over the vocabulary. */
export const promptOf = (length: number, vocabSize: number): number[] =>
  Array.from({ length }, (_, i) => (i * 7919 + 11) % vocabSize);
