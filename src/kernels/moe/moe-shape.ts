import { divisible, f32, type KernelConstant, type KernelLibrary } from "../../gpu/kernel.ts";
import type { WithActivations } from "../activation-format.ts";
import { bf16, boundPart, expertProducts, expertWeights, step } from "../libraries.ts";
import type { Tuned, VecTuning } from "../tuning.ts";

/** The numbers of a mixture-of-experts layer that its kernels are compiled for. */
export interface MoeShape extends Tuned, WithActivations {
  readonly hiddenSize: number;
  /** F, the width between gate_up and down. */
  readonly expertWidth: number;
  readonly numExperts: number;
  readonly expertsPerToken: number;
  /**
   * How `blocks` and `scales` hold the weights, [E, out, in] either way: MXFP4 blocks and scale bytes, or bf16 in
   * `blocks` with any buffer as `scales`.
   */
  readonly expertFormat: "mxfp4" | "bf16";
  readonly eps: number;
  readonly swigluLimit: number;
  /** Whether `part` says which experts' weights are bound; the others' entries are left to further dispatches. Default: all are. */
  readonly isPart?: boolean;
}

/** Libraries of every kernel that reads expert weights. */
export const expertLibraries = ({ expertFormat }: MoeShape): KernelLibrary[] => [
  step,
  bf16,
  boundPart,
  ...expertWeights[expertFormat],
];

/** Libraries of the vec kernels that read expert weights. */
export const expertVecLibraries = (shape: MoeShape): KernelLibrary[] => [
  ...expertLibraries(shape),
  ...expertProducts(shape),
];

/** Constants of every kernel that reads expert weights of `inputSize` columns. */
export const expertConstants = (shape: MoeShape, inputSize: number): Record<string, KernelConstant> => ({
  H: shape.hiddenSize,
  F: shape.expertWidth,
  E: shape.numExperts,
  IS_WHOLE: shape.isPart !== true,
  A: shape.expertsPerToken,
  KB: inputSize / 32,
  EPS: f32(shape.eps),
  LIMIT: f32(shape.swigluLimit),
});

/** Rules of every kernel that reads expert weights. */
export const checkExperts = ({
  hiddenSize,
  expertWidth,
  numExperts,
  expertsPerToken,
}: MoeShape): string[] => [
  ...divisible("hidden size", hiddenSize, 32),
  ...divisible("expert width", expertWidth, 32),
  ...(expertsPerToken >= 1 && expertsPerToken <= numExperts
    ? []
    : [`experts per token (${expertsPerToken}) must be 1..${numExperts}`]),
];

/**
 * Rules of lib/expert-rows.wgsl for `numRows` rows of an expert: whole workgroups of them, two at a time, with sums that are
 * in the 16 KiB of workgroup memory that every adapter has, beside the choice of experts.
 */
export const checkRows = (
  { numExperts, expertsPerToken }: MoeShape,
  numRows: number,
  { rows, workgroupSize }: VecTuning,
): string[] => [
  ...divisible("rows of an expert", numRows, rows),
  ...(rows === 1 ? [] : divisible("rows of a workgroup", rows, 2)),
  ...(rows * (workgroupSize + 2 * Math.max(1, Math.floor(workgroupSize / rows))) +
    numExperts +
    expertsPerToken <=
  4096
    ? []
    : [`${rows} rows of ${workgroupSize} sums need more than 16 KiB`]),
];
