import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import type { Mxfp4Form } from "../gpu/kernel.ts";
import { matricesAreExact } from "./choose-matrices.ts";
import { chooseMxfp4 } from "./choose-mxfp4.ts";
import { chooseTestedVariant } from "./choose-variant.ts";

/** What was tried out on this GPU before a model is laid out for it. */
export interface Trials {
  readonly hasMatrices: boolean;
  readonly variant: KernelVariant;
  readonly mxfp4: Mxfp4Form;
}

/** What need not be tried: a variant that is asked for, and matrices where they are not wanted. */
export interface TrialOptions {
  readonly variant?: KernelVariant | undefined;
  readonly matrices?: boolean | undefined;
}

/** Tries everything out at once, since each waits for a compiler. When it rejects, nothing of it runs on. @throws out-of-memory | device-lost */
export async function runTrials(gpu: Gpu, options: TrialOptions): Promise<Trials> {
  const isWanted = gpu.hasMatrices && options.matrices !== false;
  const [hasMatrices, variant, mxfp4] = await settled(
    isWanted ? matricesAreExact(gpu) : false,
    options.variant ?? chooseTestedVariant(gpu),
    chooseMxfp4(gpu),
  );
  return { hasMatrices, variant, mxfp4 };
}

/**
 * As Promise.all, but it waits for all of them also where one fails. The first in the list that failed is thrown, so that
 * two faults are told alike in every run, whichever comes first.
 */
export async function settled<T extends readonly unknown[]>(
  ...values: T
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  await Promise.allSettled(values);
  return Promise.all(values);
}
