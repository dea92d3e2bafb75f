import type { ModelConfig } from "../format/types.ts";
import {
  attentionSinkPrefill,
  attentionSinkPrefillGrid,
} from "../kernels/attention/attention-sink-prefill.ts";
import { ropeKvWrite, ropeKvWriteGrid } from "../kernels/attention/rope-kv-write.ts";
import { embed, embedGrid } from "../kernels/embed/embed.ts";
import { linearTile, linearTileGrid } from "../kernels/linear/linear-tile.ts";
import { moeCombine, moeCombineGrid } from "../kernels/moe/moe-combine.ts";
import { moeDownTile, moeDownTileGrid } from "../kernels/moe/moe-down-tile.ts";
import { moeGateUpSwigluTile, moeGateUpSwigluTileGrid } from "../kernels/moe/moe-gate-up-swiglu-tile.ts";
import { moeGroup, moeGroupGrid } from "../kernels/moe/moe-group.ts";
import { routerTopk, routerTopkGrid } from "../kernels/moe/router-topk.ts";
import { rmsNorm, rmsNormGrid } from "../kernels/norm/rms-norm.ts";
import type { Activations } from "./activations.ts";
import { attentionShape, denseFormats, moeShape, type PlanOptions, qkvWidth, queryWidth } from "./shapes.ts";
import type { StepBuilder } from "./step-builder.ts";
import type { LayerWeights, ModelWeights } from "./weights.ts";

/** Many tokens from ids to the residual after the last layer: 10 dispatches a layer. */
export async function prefillSteps<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  weights: ModelWeights,
  act: Activations,
  options: PlanOptions,
): Promise<Built[]> {
  const { vocabSize, hiddenSize } = config;
  const isPart = weights.embedding.length > 1;
  const first = weights.embedding.map(({ buffer: table, part }) =>
    build(
      embed,
      { vocabSize, hiddenSize, isPart },
      { step: act.step, tokens: act.tokens, table, out: act.x, part },
      (run) => embedGrid(run.numTokens),
    ),
  );
  const layers = weights.layers.flatMap((layer, i) => [
    ...attentionSteps(build, config, layer, act, i, options),
    ...moeSteps(build, config, layer, act, options),
  ]);
  return Promise.all([...first, ...layers]);
}

function attentionSteps<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  layer: LayerWeights,
  act: Activations,
  index: number,
  options: PlanOptions,
): Promise<Built>[] {
  const { hiddenSize, rmsNormEps: eps } = config;
  const { step, x, normed, qkv, q, attention, rope } = act;
  const { tuning } = options;
  const shape = attentionShape(config, config.layerTypes[index] ?? "full", options);
  const dense = denseFormats(config, options);
  const qkvLinear = { inputSize: hiddenSize, outputSize: qkvWidth(config), tuning, dense: dense.qkv };
  const outLinear = { inputSize: queryWidth(config), outputSize: hiddenSize, tuning, dense: dense.out };
  const kv = act.kv[index] as Activations["kv"][number];
  return [
    build(rmsNorm, { hiddenSize, eps }, { step, x, gain: layer.attentionNorm, out: normed }, (run) =>
      rmsNormGrid(run.numTokens),
    ),
    build(
      linearTile,
      { ...qkvLinear, addBias: true, addToOut: false },
      { step, inputs: normed, weight: layer.qkvWeight, bias: layer.qkvBias, out: qkv },
      (run) => linearTileGrid(qkvLinear, run.numTokens),
    ),
    build(ropeKvWrite, shape, { step, qkv, rope, q, ...kv }, (run) => ropeKvWriteGrid(shape, run.numTokens)),
    build(attentionSinkPrefill, shape, { step, q, ...kv, sinks: layer.sinks, out: attention }, (run) =>
      attentionSinkPrefillGrid(shape, run.numTokens),
    ),
    build(
      linearTile,
      { ...outLinear, addBias: true, addToOut: true },
      { step, inputs: attention, weight: layer.outWeight, bias: layer.outBias, out: x },
      (run) => linearTileGrid(outLinear, run.numTokens),
    ),
  ];
}

function moeSteps<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  layer: LayerWeights,
  act: Activations,
  options: PlanOptions,
): Promise<Built>[] {
  const { step, x, normed, entries, offsets, tiles, hidden, expertOut, expertIds: ids, expertWeights } = act;
  const shape = moeShape(config, options);
  return [
    build(
      routerTopk,
      shape,
      {
        step,
        x,
        gain: layer.mlpNorm,
        router: layer.routerWeight,
        bias: layer.routerBias,
        ids,
        weights: expertWeights,
        normed,
      },
      (run) => routerTopkGrid(run.numTokens),
    ),
    build(moeGroup, shape, { step, ids, entries, offsets, tiles }, () => moeGroupGrid),
    ...layer.gateUp.parts.map(({ blocks, scales, part }, _, { length }) =>
      build(
        moeGateUpSwigluTile,
        { ...shape, isPart: length > 1 },
        { step, inputs: normed, entries, tiles, blocks, scales, bias: layer.gateUp.bias, hidden, part },
        (run) => moeGateUpSwigluTileGrid(shape, run.numTokens),
      ),
    ),
    ...layer.down.parts.map(({ blocks, scales, part }, _, { length }) =>
      build(
        moeDownTile,
        { ...shape, isPart: length > 1 },
        { step, inputs: hidden, entries, tiles, blocks, scales, bias: layer.down.bias, expertOut, part },
        (run) => moeDownTileGrid(shape, run.numTokens),
      ),
    ),
    build(moeCombine, shape, { step, expertOut, weights: expertWeights, x }, (run) =>
      moeCombineGrid(shape, run.numTokens),
    ),
  ];
}
