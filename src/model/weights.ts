import { EngineError } from "../errors.ts";
import { type ExpertTensorNames, layerTensorNames, tensorNames } from "../format/tensor-names.ts";
import type { CheckpointManifest, ModelConfig, TensorEntry } from "../format/types.ts";
import type { BufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { boundPartBytes, packBoundPart } from "../kernels/bound-part.ts";
import {
  type DenseFormat,
  denseRowBytes,
  int8GroupSize,
  int8GroupsBefore,
  int8Layout,
} from "../kernels/linear/dense.ts";
import { type Part, splitEvenly } from "./parts.ts";
import { denseFormats, type PlanOptions, queryWidth } from "./shapes.ts";

/** One layer's weights on the GPU, by role. Fused qkv: rows of q, then k, then v. What is dense has the format of its role. */
export interface LayerWeights {
  readonly attentionNorm: GPUBuffer; // [H] bf16
  readonly qkvWeight: GPUBuffer; // [(Q+2K)*D, H] dense
  readonly qkvBias: GPUBuffer; // [(Q+2K)*D] bf16
  readonly sinks: GPUBuffer; // [Q] bf16
  readonly outWeight: GPUBuffer; // [H, Q*D] dense
  readonly outBias: GPUBuffer; // [H] bf16
  readonly mlpNorm: GPUBuffer; // [H] bf16
  readonly routerWeight: GPUBuffer; // [E, H] bf16
  readonly routerBias: GPUBuffer; // [E] bf16
  readonly gateUp: ExpertWeights; // [E, 2F, H], rows alternate gate, up
  readonly down: ExpertWeights; // [E, H, F]
}

/** One matrix of all experts, [E, out, in], in as few parts as the adapter's limits allow: one, where it can be. */
export interface ExpertWeights {
  readonly parts: readonly ExpertPart[];
  readonly bias: GPUBuffer; // [E, out] bf16
}

/** Experts side by side: MXFP4 blocks with scales, or bf16 with a 4-byte stand-in for the scales. */
export interface ExpertPart {
  readonly part: GPUBuffer; // see `packBoundPart`
  readonly blocks: GPUBuffer;
  readonly scales: GPUBuffer;
}

/** Rows side by side of a matrix that may be larger than the adapter binds. */
export interface RowPart {
  readonly firstRow: number;
  readonly numRows: number;
  readonly part: GPUBuffer; // see `packBoundPart`
  readonly buffer: GPUBuffer;
}

/** All weights on the GPU. */
export interface ModelWeights {
  readonly embedding: readonly RowPart[]; // [V, H] bf16
  readonly finalNorm: GPUBuffer; // [H] bf16
  readonly lmHead: readonly RowPart[]; // [V, H] dense
  readonly layers: readonly LayerWeights[];
}

/** Bytes of a file: a tensor, or rows of one. */
export type TensorBytes = Pick<TensorEntry, "name" | "file" | "startBytes" | "endBytes">;

/**
 * Where the bytes of a tensor go. bf16 experts are stored `[E, in, out]` and transposed on the way; with `int8` a tensor is
 * quantised on the GPU into the int8 matrix of the buffer, and `offsetBytes` is that of its first code.
 */
export interface TensorPlacement {
  readonly tensor: TensorBytes;
  readonly buffer: GPUBuffer;
  readonly offsetBytes: number;
  readonly transpose: { readonly count: number; readonly rows: number; readonly columns: number } | undefined;
  readonly int8?: { readonly columns: number; readonly scalesAtBytes: number };
}

/** Weights as buffers that are still empty, and what to put into them. */
export interface WeightLayout {
  readonly weights: ModelWeights;
  readonly placements: readonly TensorPlacement[];
  /** What the weights' `part` buffers are to hold; see `writeParts`. */
  readonly parts: readonly (Part & { readonly buffer: GPUBuffer })[];
  /** Bytes to be read from the checkpoint. */
  readonly totalBytes: number;
}

/** Makes a buffer for every role. @throws limit-exceeded; out-of-memory shows in `buffers.settled()` */
export function layOutWeights(
  manifest: CheckpointManifest,
  buffers: BufferSet,
  options: Pick<PlanOptions, "dense">,
): WeightLayout {
  const placements: TensorPlacement[] = [];
  const place = createPlacer(manifest, buffers, placements);
  const dense = denseFormats(manifest.config, options);
  const weights: ModelWeights = {
    embedding: placeRows("embedding", tensorNames.embedding, manifest, place),
    finalNorm: place("final norm", [tensorNames.finalNorm]),
    lmHead: placeRows("lm head", tensorNames.lmHead, manifest, place, dense.lmHead),
    layers: Array.from({ length: manifest.config.numLayers }, (_, layer) =>
      placeLayer(layer, manifest.config, dense, place),
    ),
  };
  const totalBytes = placements.reduce((sum, { tensor }) => sum + tensor.endBytes - tensor.startBytes, 0);
  return { weights, placements, parts: place.parts, totalBytes };
}

/** Fills the buffers that say what is in which part. */
export function writeParts(gpu: Gpu, { parts }: WeightLayout): void {
  for (const { buffer, ...part } of parts) gpu.device.queue.writeBuffer(buffer, 0, packBoundPart(part));
}

/** What happens to tensors on their way. */
interface Storing {
  readonly transpose?: TensorPlacement["transpose"];
  /** Columns of the rows that are to be int8. Default: bf16, as they are. */
  readonly int8Columns?: number;
}

interface Placer {
  /** Puts tensors one after another into a new buffer; no names make a 4-byte buffer. */
  (role: string, names: readonly string[], storing?: Storing): GPUBuffer;
  /** Puts parts of tensors one after another into a new buffer. */
  bytes(role: string, tensors: readonly TensorBytes[], storing?: Storing): GPUBuffer;
  /** The buffer that says which rows or experts a part has: one for all matrices that are cut so. */
  part(part: Part): GPUBuffer;
  /** Those made so far. */
  readonly parts: WeightLayout["parts"];
  readonly limitBytes: number;
  tensor(name: string): TensorEntry;
}

function createPlacer(
  manifest: CheckpointManifest,
  buffers: BufferSet,
  placements: TensorPlacement[],
): Placer {
  const tensor = (name: string) => {
    const found = manifest.tensors.get(name);
    if (found !== undefined) return found;
    throw new EngineError("internal", `The manifest lacks ${name}, which was checked before.`);
  };
  const bytes: Placer["bytes"] = (role, tensors, { transpose, int8Columns: columns } = {}) => {
    const fileBytes = tensors.reduce((sum, tensor) => sum + tensor.endBytes - tensor.startBytes, 0);
    const layout = columns === undefined ? undefined : int8Layout(fileBytes / (2 * columns), columns);
    const int8 = columns !== undefined && layout !== undefined && { columns, ...layout };
    const buffer = buffers.storage(role, layout?.sizeBytes ?? fileBytes);
    let offsetBytes = 0;
    for (const tensor of tensors) {
      placements.push({ tensor, buffer, offsetBytes, transpose, ...(int8 && { int8 }) });
      const tensorBytes = tensor.endBytes - tensor.startBytes;
      offsetBytes +=
        columns === undefined ? tensorBytes : int8GroupsBefore(columns, tensorBytes / 2) * int8GroupSize;
    }
    return buffer;
  };
  const place = (role: string, names: readonly string[], storing?: Storing) =>
    bytes(role, names.map(tensor), storing);
  const parts: (Part & { buffer: GPUBuffer })[] = [];
  const part: Placer["part"] = ({ first, count }) => {
    const known = parts.find((made) => made.first === first && made.count === count);
    if (known !== undefined) return known.buffer;
    const buffer = buffers.uniform(`part of ${count} from ${first} on`, boundPartBytes);
    parts.push({ first, count, buffer });
    return buffer;
  };
  return Object.assign(place, { bytes, tensor, part, parts, limitBytes: buffers.largestStorageBytes });
}

const stored = (format: DenseFormat, columns: number): Storing =>
  format === "int8" ? { int8Columns: columns } : {};

/** Parts of a vocabulary begin at multiples of it, so that no workgroup serves two. */
const vocabularyMultiple = 64;

function placeRows(
  role: string,
  name: string,
  { config }: CheckpointManifest,
  place: Placer,
  dense: DenseFormat = "bf16",
): RowPart[] {
  const { vocabSize: count, hiddenSize } = config;
  const bytesEach = denseRowBytes(dense, hiddenSize);
  const tensor = place.tensor(name);
  const parts = splitEvenly({ count, bytesEach, limitBytes: place.limitBytes, multiple: vocabularyMultiple });
  return parts.map((part, i) => ({
    firstRow: part.first,
    numRows: part.count,
    part: place.part(part),
    buffer: place.bytes(
      partLabel(role, i, parts.length),
      [rowsOf(tensor, part, 2 * hiddenSize)],
      stored(dense, hiddenSize),
    ),
  }));
}

const rowsOf = ({ name, file, startBytes }: TensorBytes, { first, count }: Part, bytesEach: number) => ({
  name,
  file,
  startBytes: startBytes + first * bytesEach,
  endBytes: startBytes + (first + count) * bytesEach,
});

const partLabel = (role: string, index: number, numParts: number) =>
  numParts === 1 ? role : `${role}, part ${index + 1} of ${numParts}`;

interface ExpertMatrix {
  readonly inputs: number;
  readonly outputs: number;
}

function placeExperts(
  role: string,
  names: ExpertTensorNames,
  { inputs, outputs }: ExpertMatrix,
  { numExperts: count, expertFormat }: ModelConfig,
  place: Placer,
): ExpertWeights {
  const stored = expertFormat === "mxfp4";
  const bytesEach = stored ? (inputs * outputs) / 2 : inputs * outputs * 2;
  const scaleBytesEach = (inputs * outputs) / 32;
  const parts = splitEvenly({ count, bytesEach, limitBytes: place.limitBytes });
  const label = (what: string, i: number) => partLabel(`${role} ${what}`, i, parts.length);
  return {
    parts: parts.map((part, i) => {
      const rows = (name: string, eachBytes: number) => [rowsOf(place.tensor(name), part, eachBytes)];
      const transpose = { count: part.count, rows: inputs, columns: outputs };
      return {
        part: place.part(part),
        blocks: stored
          ? place.bytes(label("blocks", i), rows(names.blocks, bytesEach))
          : place.bytes(label("weight", i), rows(names.weight, bytesEach), { transpose }),
        scales: place.bytes(label("scales", i), stored ? rows(names.scales, scaleBytesEach) : []),
      };
    }),
    bias: place(`${role} bias`, [names.bias]),
  };
}

function placeLayer(
  layer: number,
  config: ModelConfig,
  dense: ReturnType<typeof denseFormats>,
  place: Placer,
): LayerWeights {
  const names = layerTensorNames(layer);
  const role = (what: string) => `layer ${layer} ${what}`;
  const { hiddenSize, intermediateSize } = config;
  const experts = (what: "gateUp" | "down", matrix: ExpertMatrix) =>
    placeExperts(role(what), names[what], matrix, config, place);
  return {
    attentionNorm: place(role("attention norm"), [names.attentionNorm]),
    qkvWeight: place(
      role("qkv weight"),
      [names.qWeight, names.kWeight, names.vWeight],
      stored(dense.qkv, hiddenSize),
    ),
    qkvBias: place(role("qkv bias"), [names.qBias, names.kBias, names.vBias]),
    sinks: place(role("sinks"), [names.sinks]),
    outWeight: place(
      role("attention output weight"),
      [names.outWeight],
      stored(dense.out, queryWidth(config)),
    ),
    outBias: place(role("attention output bias"), [names.outBias]),
    mlpNorm: place(role("mlp norm"), [names.mlpNorm]),
    routerWeight: place(role("router weight"), [names.routerWeight]),
    routerBias: place(role("router bias"), [names.routerBias]),
    gateUp: experts("gateUp", { inputs: hiddenSize, outputs: 2 * intermediateSize }),
    down: experts("down", { inputs: intermediateSize, outputs: hiddenSize }),
  };
}
