import type { ModelConfig } from "../format/types.ts";
import type { AttentionShape } from "../kernels/attention/attention-shape.ts";
import {
  attentionSinkDecode,
  attentionSinkDecodeGrid,
  type DecodeForm,
  decodeForm,
} from "../kernels/attention/attention-sink-decode.ts";
import { attentionSinkMerge, attentionSinkMergeGrid } from "../kernels/attention/attention-sink-merge.ts";
import { qkvRopeVec, qkvRopeVecGrid } from "../kernels/attention/qkv-rope-vec.ts";
import { embed, embedGrid } from "../kernels/embed/embed.ts";
import { linearResidualVec, linearVecGrid } from "../kernels/linear/linear-residual-vec.ts";
import { moeDownVec, moeDownVecGrid } from "../kernels/moe/moe-down-vec.ts";
import { moeGateUpSwigluVec, moeGateUpSwigluVecGrid } from "../kernels/moe/moe-gate-up-swiglu-vec.ts";
import { routerVec, routerVecGrid } from "../kernels/moe/router-vec.ts";
import type { Activations } from "./activations.ts";
import type { PassRun } from "./plan-types.ts";
import { attentionShape, denseFormats, moeShape, type PlanOptions, queryWidth } from "./shapes.ts";
import type { StepBuilder } from "./step-builder.ts";
import type { LayerWeights, ModelWeights } from "./weights.ts";

/** One token from its id to the residual after the last layer: 6 dispatches a layer, 7 where its keys are many. */
export async function decodeSteps<Built>(
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
      () => embedGrid(1),
    ),
  );
  return Promise.all([
    ...first,
    ...weights.layers.flatMap((layer, i) => layerSteps(build, config, layer, act, i, options)),
  ]);
}

function layerSteps<Built>(
  build: StepBuilder<Built>,
  config: ModelConfig,
  layer: LayerWeights,
  act: Activations,
  index: number,
  options: PlanOptions,
): Promise<Built>[] {
  const { hiddenSize, rmsNormEps: eps } = config;
  const { step, x, normed, q, attention, partials, rope, routerLogits, hidden, routes } = act;
  const { tuning, activations } = options;
  const dense = denseFormats(config, options);
  const shape = {
    ...attentionShape(config, config.layerTypes[index] ?? "full", options),
    hiddenSize,
    eps,
    ...{ tuning, activations, dense: dense.qkv },
  };
  const output = {
    ...{ inputSize: queryWidth(config), outputSize: hiddenSize },
    ...{ tuning, activations, dense: dense.out },
  };
  const moe = { ...moeShape(config, options), activations };
  const kv = act.kv[index] as Activations["kv"][number];
  return [
    build(
      qkvRopeVec,
      shape,
      { step, x, gain: layer.attentionNorm, weight: layer.qkvWeight, bias: layer.qkvBias, rope, q, ...kv },
      () => qkvRopeVecGrid(shape, 1),
    ),
    ...attentionSteps(build, shape, { step, q, ...kv, sinks: layer.sinks, partials, out: attention }),
    build(
      linearResidualVec,
      output,
      { step, x: attention, weight: layer.outWeight, bias: layer.outBias, out: x },
      () => linearVecGrid(output, 1),
    ),
    build(
      routerVec,
      moe,
      {
        ...{ step, x, gain: layer.mlpNorm, weight: layer.routerWeight, bias: layer.routerBias },
        ...{ logits: routerLogits, normed },
      },
      () => routerVecGrid(moe, 1),
    ),
    ...layer.gateUp.parts.map(({ blocks, scales, part }, _, { length }) =>
      build(
        moeGateUpSwigluVec,
        { ...moe, isPart: length > 1 },
        {
          ...{ step, inputs: normed, logits: routerLogits, blocks, scales, bias: layer.gateUp.bias },
          ...{ hidden, routes, part },
        },
        () => moeGateUpSwigluVecGrid(moe, 1),
      ),
    ),
    ...layer.down.parts.map(({ blocks, scales, part }, _, { length }) =>
      build(
        moeDownVec,
        { ...moe, isPart: length > 1 },
        { step, hidden, routes, blocks, scales, bias: layer.down.bias, x, part },
        () => moeDownVecGrid(moe, 1),
      ),
    ),
  ];
}

/**
 * Attention in one dispatch while there are few keys, and in shares that are joined once there are more. A layer whose
 * window never shows so many has the first only.
 */
function attentionSteps<Built>(
  build: StepBuilder<Built>,
  shape: AttentionShape,
  buffers: Readonly<Record<keyof (typeof attentionSinkDecode)["bindings"], GPUBuffer>>,
): Promise<Built>[] {
  const most = visibleKeys(shape, { numTokens: 1, maxKeys: shape.capacity });
  const forms: readonly DecodeForm[] = decodeForm(most) === "direct" ? ["direct"] : ["direct", "split"];
  const { step, partials, sinks, out } = buffers;
  return [
    ...forms.map((form) =>
      build(attentionSinkDecode, { ...shape, form }, buffers, (run) =>
        attentionSinkDecodeGrid({ ...shape, form }, 1, visibleKeys(shape, run)),
      ),
    ),
    ...(forms.includes("split")
      ? [
          build(attentionSinkMerge, shape, { step, partials, sinks, out }, (run) =>
            attentionSinkMergeGrid(shape, 1, visibleKeys(shape, run)),
          ),
        ]
      : []),
  ];
}

/** Most keys that the token of a decode step sees in a layer. */
const visibleKeys = ({ window }: AttentionShape, { maxKeys }: PassRun): number =>
  window === 0 ? maxKeys : Math.min(window, maxKeys);
