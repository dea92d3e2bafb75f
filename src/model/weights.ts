import { EngineError } from "../errors.ts";
import { layerTensorNames, tensorNames } from "../format/tensor-names.ts";
import type { CheckpointManifest, ModelConfig, TensorEntry } from "../format/types.ts";
import type { BufferSet } from "../gpu/buffers.ts";

/** One layer's weights on the GPU, by role. Fused qkv: rows of q, then k, then v. */
export interface LayerWeights {
  readonly attentionNorm: GPUBuffer; // [H] bf16
  readonly qkvWeight: GPUBuffer; // [(Q+2K)*D, H] bf16
  readonly qkvBias: GPUBuffer; // [(Q+2K)*D] bf16
  readonly sinks: GPUBuffer; // [Q] bf16
  readonly outWeight: GPUBuffer; // [H, Q*D] bf16
  readonly outBias: GPUBuffer; // [H] bf16
  readonly mlpNorm: GPUBuffer; // [H] bf16
  readonly routerWeight: GPUBuffer; // [E, H] bf16
  readonly routerBias: GPUBuffer; // [E] bf16
  readonly gateUp: ExpertWeights; // [E, 2F, H], rows alternate gate, up
  readonly down: ExpertWeights; // [E, H, F]
}

/** One matrix of all experts, [E, out, in]: MXFP4 blocks with scales, or bf16 with a 4-byte stand-in for the scales. */
export interface ExpertWeights {
  readonly blocks: GPUBuffer;
  readonly scales: GPUBuffer;
  readonly bias: GPUBuffer; // [E, out] bf16
}

/** All weights on the GPU. */
export interface ModelWeights {
  readonly embedding: GPUBuffer; // [V, H] bf16
  readonly finalNorm: GPUBuffer; // [H] bf16
  readonly lmHead: GPUBuffer; // [V, H] bf16
  readonly layers: readonly LayerWeights[];
}

/** Where the bytes of one tensor go. bf16 experts are stored `[E, in, out]` and transposed on the way. */
export interface TensorPlacement {
  readonly tensor: TensorEntry;
  readonly buffer: GPUBuffer;
  readonly offsetBytes: number;
  readonly transpose: { readonly count: number; readonly rows: number; readonly columns: number } | undefined;
}

/** Weights as buffers that are still empty, and what to put into them. */
export interface WeightLayout {
  readonly weights: ModelWeights;
  readonly placements: readonly TensorPlacement[];
  /** Bytes to be read from the checkpoint. */
  readonly totalBytes: number;
}

/** Makes a buffer for every role. @throws limit-exceeded; out-of-memory shows in `buffers.settled()` */
export function layOutWeights(manifest: CheckpointManifest, buffers: BufferSet): WeightLayout {
  const placements: TensorPlacement[] = [];
  const place = createPlacer(manifest, buffers, placements);
  const weights: ModelWeights = {
    embedding: place("embedding", [tensorNames.embedding]),
    finalNorm: place("final norm", [tensorNames.finalNorm]),
    lmHead: place("lm head", [tensorNames.lmHead]),
    layers: Array.from({ length: manifest.config.numLayers }, (_, layer) =>
      placeLayer(layer, manifest.config, place),
    ),
  };
  const totalBytes = placements.reduce((sum, { tensor }) => sum + tensor.endBytes - tensor.startBytes, 0);
  return { weights, placements, totalBytes };
}

/** Puts tensors one after another into a new buffer; no names make a 4-byte buffer. */
type Placer = (role: string, names: readonly string[], transpose?: TensorPlacement["transpose"]) => GPUBuffer;

function createPlacer(
  manifest: CheckpointManifest,
  buffers: BufferSet,
  placements: TensorPlacement[],
): Placer {
  return (role, names, transpose) => {
    const tensors = names.map((name) => {
      const tensor = manifest.tensors.get(name);
      if (tensor === undefined)
        throw new EngineError("internal", `The manifest lacks ${name}, which was checked before.`);
      return tensor;
    });
    const sizeBytes = tensors.reduce((sum, tensor) => sum + tensor.endBytes - tensor.startBytes, 0);
    const buffer = buffers.storage(role, sizeBytes);
    let offsetBytes = 0;
    for (const tensor of tensors) {
      placements.push({ tensor, buffer, offsetBytes, transpose });
      offsetBytes += tensor.endBytes - tensor.startBytes;
    }
    return buffer;
  };
}

function placeLayer(layer: number, config: ModelConfig, place: Placer): LayerWeights {
  const names = layerTensorNames(layer);
  const role = (what: string) => `layer ${layer} ${what}`;
  const { hiddenSize, intermediateSize, numExperts } = config;
  const experts = (what: "gateUp" | "down", inputs: number, outputs: number): ExpertWeights => {
    const tensors = names[what];
    const stored = config.expertFormat === "mxfp4";
    return {
      blocks: stored
        ? place(role(`${what} blocks`), [tensors.blocks])
        : place(role(`${what} weight`), [tensors.weight], {
            count: numExperts,
            rows: inputs,
            columns: outputs,
          }),
      scales: place(role(`${what} scales`), stored ? [tensors.scales] : []),
      bias: place(role(`${what} bias`), [tensors.bias]),
    };
  };
  return {
    attentionNorm: place(role("attention norm"), [names.attentionNorm]),
    qkvWeight: place(role("qkv weight"), [names.qWeight, names.kWeight, names.vWeight]),
    qkvBias: place(role("qkv bias"), [names.qBias, names.kBias, names.vBias]),
    sinks: place(role("sinks"), [names.sinks]),
    outWeight: place(role("attention output weight"), [names.outWeight]),
    outBias: place(role("attention output bias"), [names.outBias]),
    mlpNorm: place(role("mlp norm"), [names.mlpNorm]),
    routerWeight: place(role("router weight"), [names.routerWeight]),
    routerBias: place(role("router bias"), [names.routerBias]),
    gateUp: experts("gateUp", hiddenSize, 2 * intermediateSize),
    down: experts("down", intermediateSize, hiddenSize),
  };
}
