import type { ModelConfig } from "../format/types.ts";
import { linearResidualVec } from "../kernels/linear/linear-residual-vec.ts";
import { linearTile } from "../kernels/linear/linear-tile.ts";
import { moeDownTile } from "../kernels/moe/moe-down-tile.ts";
import { moeDownVec } from "../kernels/moe/moe-down-vec.ts";
import { moeGateUpSwigluTile } from "../kernels/moe/moe-gate-up-swiglu-tile.ts";
import { moeGateUpSwigluVec } from "../kernels/moe/moe-gate-up-swiglu-vec.ts";
import { lmHeadVec } from "../kernels/sample/lm-head-vec.ts";
import { denseFormats, lmHeadShape, moeShape, type PlanOptions, qkvWidth, queryWidth } from "./shapes.ts";

/** The rules of kernels that a plan's sizes (`PlanOptions.tuning`) break for this model, as sentences; empty where it can run. */
export function tuningProblems(config: ModelConfig, options: PlanOptions): string[] {
  const moe = moeShape(config, options);
  const { tuning } = options;
  const dense = denseFormats(config, options);
  const qkv = { inputSize: config.hiddenSize, outputSize: qkvWidth(config), dense: dense.qkv, tuning };
  const out = { inputSize: queryWidth(config), outputSize: config.hiddenSize, dense: dense.out, tuning };
  const problems = [
    linearResidualVec.check?.(out),
    lmHeadVec.check?.(lmHeadShape(config, options)),
    moeGateUpSwigluVec.check?.(moe),
    moeDownVec.check?.(moe),
    // The formats of the two may differ, and with them the sizes.
    linearTile.check?.({ ...qkv, addBias: true, addToOut: false }),
    linearTile.check?.({ ...out, addBias: true, addToOut: true }),
    moeGateUpSwigluTile.check?.(moe),
    moeDownTile.check?.(moe),
  ];
  return [...new Set(problems.flatMap((rules) => rules ?? []))];
}
