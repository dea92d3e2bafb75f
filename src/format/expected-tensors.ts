import { mxfp4BlockValues } from "./config-sizes.ts";
import { type ExpertTensorNames, layerTensorNames, tensorNames } from "./tensor-names.ts";
import type { ExpectedTensor, ModelConfig } from "./types.ts";

/** Bytes of one MXFP4 block: two values a byte. */
const mxfp4BlockBytes = mxfp4BlockValues / 2;

/**
 * Every tensor that a checkpoint of this config must have, by name. MXFP4 experts are stored `[E, out, in/32,
 * 16]`, bf16 experts transposed `[E, in, out]`; rows (or columns) of gate_up alternate gate, up.
 */
export function expectedTensors(config: ModelConfig): ReadonlyMap<string, ExpectedTensor> {
  const { hiddenSize: H, vocabSize: V } = config;
  const all = [
    bf16(tensorNames.embedding, V, H),
    ...Array.from({ length: config.numLayers }, (_, layer) => layerTensors(config, layer)).flat(),
    bf16(tensorNames.finalNorm, H),
    bf16(tensorNames.lmHead, V, H),
  ];
  return new Map(all.map((tensor) => [tensor.name, tensor]));
}

function layerTensors(config: ModelConfig, layer: number): ExpectedTensor[] {
  const { hiddenSize: H, numHeads: Q, numExperts: E, intermediateSize: F } = config;
  const queryWidth = Q * config.headDim;
  const kvWidth = config.numKvHeads * config.headDim;
  const names = layerTensorNames(layer);
  return [
    bf16(names.attentionNorm, H),
    bf16(names.qWeight, queryWidth, H),
    bf16(names.qBias, queryWidth),
    bf16(names.kWeight, kvWidth, H),
    bf16(names.kBias, kvWidth),
    bf16(names.vWeight, kvWidth, H),
    bf16(names.vBias, kvWidth),
    bf16(names.outWeight, H, queryWidth),
    bf16(names.outBias, H),
    bf16(names.sinks, Q),
    bf16(names.mlpNorm, H),
    bf16(names.routerWeight, E, H),
    bf16(names.routerBias, E),
    ...expertTensors(config, names.gateUp, { inputs: H, outputs: 2 * F }),
    ...expertTensors(config, names.down, { inputs: F, outputs: H }),
  ];
}

interface Widths {
  readonly inputs: number;
  readonly outputs: number;
}

function expertTensors(
  config: ModelConfig,
  names: ExpertTensorNames,
  { inputs, outputs }: Widths,
): ExpectedTensor[] {
  const E = config.numExperts;
  const bias = bf16(names.bias, E, outputs);
  if (config.expertFormat === "bf16") return [bf16(names.weight, E, inputs, outputs), bias];
  const numBlocks = inputs / mxfp4BlockValues;
  return [
    { name: names.blocks, dtype: "U8", shape: [E, outputs, numBlocks, mxfp4BlockBytes] },
    { name: names.scales, dtype: "U8", shape: [E, outputs, numBlocks] },
    bias,
  ];
}

function bf16(name: string, ...shape: number[]): ExpectedTensor {
  return { name, dtype: "BF16", shape };
}
