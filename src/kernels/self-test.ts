import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import type { Mxfp4Form } from "../gpu/kernel.ts";
import type { ActivationFormat } from "./activation-format.ts";
import type { KvFormat } from "./attention/kv-cache.ts";
import type { DenseFormat } from "./linear/dense.ts";
import type { KernelTuning } from "./tuning.ts";

/** What a plan's kernels were compiled for, so that a self-test runs the same text. */
export interface SelfTestTarget {
  readonly variant: KernelVariant;
  readonly mxfp4: Mxfp4Form;
  readonly isSoftware: boolean;
  readonly tuning: KernelTuning;
  readonly kvFormat: KvFormat;
  readonly dense: DenseFormat;
  readonly activations: ActivationFormat;
  readonly expertFormat: "mxfp4" | "bf16";
}

/**
 * A small case of one kernel against its float64 reference, which the bench runs on the user's adapter before it times
 * the kernel. The tables of cases in `*.gpu.test.ts` are far larger.
 */
export interface SelfTest {
  readonly kernel: string;
  /** Throws an Error that names the worst element where the kernel is wrong. */
  readonly run: (gpu: Gpu, target: SelfTestTarget) => Promise<void>;
}
