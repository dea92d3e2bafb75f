import { layerTensorNames, tensorNames } from "../format/tensor-names.ts";
import type { LayerType, ModelConfig } from "../format/types.ts";
import type { ActivationFormat, WithActivations } from "../kernels/activation-format.ts";
import { attentionSinkReference } from "../kernels/attention/attention-sink.reference.ts";
import { qkvRopeReference } from "../kernels/attention/qkv-rope.reference.ts";
import { yarnRopeTable } from "../kernels/attention/rope-table.ts";
import { embedReference } from "../kernels/embed/embed.reference.ts";
import {
  type ActivationGroups,
  denseGroups,
  expertGroups,
  quantizeActivationsReference,
} from "../kernels/int8-activations.reference.ts";
import type { DenseFormat } from "../kernels/linear/dense.ts";
import { linearReference } from "../kernels/linear/linear.reference.ts";
import { quantizeInt8Reference } from "../kernels/linear/quantize-int8.reference.ts";
import {
  type ExpertValues,
  moeCombineReference,
  moeDownReference,
  moeGateUpReference,
} from "../kernels/moe/moe.reference.ts";
import { decodeMxfp4Reference } from "../kernels/moe/mxfp4.reference.ts";
import { routerReference } from "../kernels/moe/router.reference.ts";
import { rmsNormReference } from "../kernels/norm/rms-norm.reference.ts";
import { lmHeadReference } from "../kernels/sample/sample.reference.ts";
import { denseFormats } from "../model/shapes.ts";
import { readManifest } from "../weights/manifest.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { bf16Value } from "./data.ts";

/** A checkpoint's stored bytes by tensor name. */
type Bytes = (name: string) => Uint8Array;

/** A whole checkpoint as the reference takes it. */
export async function readCheckpoint(
  files: CheckpointFiles,
): Promise<{ readonly config: ModelConfig; readonly bytes: Bytes }> {
  const { config, tensors } = await readManifest(files);
  const stored = new Map<string, Uint8Array>();
  for (const { name, file, startBytes, endBytes } of tensors.values())
    stored.set(name, await files.read(file, startBytes, endBytes));
  return { config, bytes: (name) => stored.get(name) ?? new Uint8Array() };
}

export interface ReferenceOptions extends WithActivations {
  /** How the engine stores dense weights. Default bf16. */
  readonly dense?: DenseFormat;
  /** Told the experts [T, A] of each layer. */
  readonly onExperts?: (layer: number, ids: Uint32Array) => void;
}

/** Logits [T, V] of a whole sequence in float64: the kernels' references in the order of the model, without a cache. */
export function referenceLogits(
  config: ModelConfig,
  bytes: Bytes,
  tokens: readonly number[],
  { dense = "bf16", activations = "f32", onExperts = () => {} }: ReferenceOptions = {},
): Float64Array {
  const { hiddenSize, rmsNormEps: eps } = config;
  const int8 = int8TensorNames(config, dense);
  const forms = formsOf(config, dense, activations);
  const values = (name: string) => {
    const stored = bf16Array(bytes(name));
    return int8.has(name) ? quantizeInt8Reference(stored).values : stored;
  };
  const rope = yarnRopeTable(config.rope, config.headDim, tokens.length);
  let x = embedReference(tokens, values(tensorNames.embedding), hiddenSize);
  for (const [layer, layerType] of config.layerTypes.entries()) {
    x = attention(config, values, layer, layerType, x, rope, forms);
    x = experts(config, bytes, layer, x, { onExperts, activations: forms.experts });
  }
  return lmHeadReference(x, values(tensorNames.finalNorm), values(tensorNames.lmHead), {
    eps,
    activations: forms.lmHead,
  });
}

/** What is multiplied with each kind of weights: int8 with int8 and MXFP4 alone. */
function formsOf(config: ModelConfig, dense: DenseFormat, activations: ActivationFormat) {
  const formats = denseFormats(config, { dense });
  const formOf = (format: string): ActivationFormat => (format === "bf16" ? "f32" : activations);
  return {
    ...{ qkv: formOf(formats.qkv), out: formOf(formats.out), lmHead: formOf(formats.lmHead) },
    experts: formOf(config.expertFormat),
  };
}

/** Inputs [T, width] of a product, as it takes them. */
const takenAs = (
  activations: ActivationFormat,
  x: Float64Array,
  width: number,
  groupOf: ActivationGroups,
): Float64Array => (activations === "int8" ? quantizeActivationsReference(x, width, groupOf) : x);

/** The tensors that the engine stores as int8. */
function int8TensorNames(config: ModelConfig, dense: DenseFormat): ReadonlySet<string> {
  const formats = denseFormats(config, { dense });
  const names = config.layerTypes.flatMap((_, layer) => {
    const { qWeight, kWeight, vWeight, outWeight } = layerTensorNames(layer);
    return [
      ...[qWeight, kWeight, vWeight].map((name) => ({ name, format: formats.qkv })),
      { name: outWeight, format: formats.out },
    ];
  });
  const all = [...names, { name: tensorNames.lmHead, format: formats.lmHead }];
  return new Set(all.flatMap(({ name, format }) => (format === "int8" ? [name] : [])));
}

function attention(
  config: ModelConfig,
  values: (name: string) => Float64Array,
  layer: number,
  layerType: LayerType,
  x: Float64Array,
  rope: Float32Array,
  forms: ReturnType<typeof formsOf>,
): Float64Array {
  const { rmsNormEps: eps, numHeads, headDim, slidingWindow } = config;
  const names = layerTensorNames(layer);
  const joined = (...parts: string[]) => Float64Array.from(parts.flatMap((name) => [...values(name)]));
  const { q, k, v } = qkvRopeReference(
    {
      x,
      gain: values(names.attentionNorm),
      weight: joined(names.qWeight, names.kWeight, names.vWeight),
      bias: joined(names.qBias, names.kBias, names.vBias),
      rope,
      position: 0,
      eps,
    },
    { ...config, activations: forms.qkv },
  );
  const out = attentionSinkReference(
    { q, keys: k, values: v, sinks: values(names.sinks), position: 0 },
    { ...config, window: layerType === "sliding" ? slidingWindow : 0 },
  );
  const width = numHeads * headDim;
  return linearReference(takenAs(forms.out, out, width, denseGroups), values(names.outWeight), width, {
    bias: values(names.outBias),
    residual: x,
  });
}

function experts(
  config: ModelConfig,
  bytes: Bytes,
  layer: number,
  x: Float64Array,
  { onExperts, activations }: Required<Pick<ReferenceOptions, "onExperts" | "activations">>,
): Float64Array {
  const { hiddenSize, intermediateSize, rmsNormEps: eps, expertsPerToken, swigluLimit: limit } = config;
  const names = layerTensorNames(layer);
  const values = (name: string) => bf16Array(bytes(name));
  const gain = values(names.mlpNorm);
  const { ids, weights } = routerReference({
    x,
    gain,
    router: values(names.routerWeight),
    bias: values(names.routerBias),
    eps,
    expertsPerToken,
  });
  onExperts(layer, ids);
  const gateUp = expertValues(config, bytes, names.gateUp, 2 * intermediateSize, hiddenSize);
  const taken = takenAs(activations, rmsNormReference(x, gain, eps), hiddenSize, expertGroups);
  const hidden = moeGateUpReference(taken, ids, gateUp, { expertsPerToken, limit });
  const down = expertValues(config, bytes, names.down, hiddenSize, intermediateSize);
  const hiddenTaken = takenAs(activations, hidden, intermediateSize, expertGroups);
  return moeCombineReference(x, weights, moeDownReference(hiddenTaken, ids, down));
}

function expertValues(
  { expertFormat, numExperts }: ModelConfig,
  bytes: Bytes,
  names: ReturnType<typeof layerTensorNames>["gateUp"],
  numRows: number,
  numColumns: number,
): ExpertValues {
  const values =
    expertFormat === "mxfp4"
      ? decodeMxfp4Reference(bytes(names.blocks), bytes(names.scales))
      : transposed(bf16Array(bytes(names.weight)), numExperts, numColumns, numRows);
  return { values, bias: bf16Array(bytes(names.bias)), numRows, numColumns };
}

/** [count, rows, columns] as [count, columns, rows]. */
function transposed(values: Float64Array, count: number, rows: number, columns: number): Float64Array {
  const size = rows * columns;
  return Float64Array.from({ length: count * size }, (_, i) => {
    const [matrix, row, column] = [Math.floor(i / size), i % rows, Math.floor((i % size) / rows)];
    return values[matrix * size + row * columns + column] ?? Number.NaN;
  });
}

function bf16Array(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.byteLength / 2 }, (_, i) =>
    bf16Value(view.getUint16(2 * i, true)),
  );
}
