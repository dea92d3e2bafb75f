import type { KernelLibrary } from "../gpu/kernel.ts";
import attentionChunkWgsl from "../shaders/lib/attention-chunk.wgsl?raw";
import bf16Wgsl from "../shaders/lib/bf16.wgsl?raw";
import boundPartWgsl from "../shaders/lib/bound-part.wgsl?raw";
import chooseExpertsSubgroupsWgsl from "../shaders/lib/choose-experts-subgroups.wgsl?raw";
import chooseExpertsWorkgroupWgsl from "../shaders/lib/choose-experts-workgroup.wgsl?raw";
import denseBf16Wgsl from "../shaders/lib/dense-bf16.wgsl?raw";
import denseBf16TileWgsl from "../shaders/lib/dense-bf16-tile.wgsl?raw";
import denseInputsWgsl from "../shaders/lib/dense-inputs.wgsl?raw";
import denseInt8Wgsl from "../shaders/lib/dense-int8.wgsl?raw";
import denseInt8PackedWgsl from "../shaders/lib/dense-int8-packed.wgsl?raw";
import denseInt8TileWgsl from "../shaders/lib/dense-int8-tile.wgsl?raw";
import expertBf16Wgsl from "../shaders/lib/expert-bf16.wgsl?raw";
import expertBf16TileWgsl from "../shaders/lib/expert-bf16-tile.wgsl?raw";
import expertMxfp4Wgsl from "../shaders/lib/expert-mxfp4.wgsl?raw";
import expertMxfp4F32Wgsl from "../shaders/lib/expert-mxfp4-f32.wgsl?raw";
import expertMxfp4HalvesWgsl from "../shaders/lib/expert-mxfp4-halves.wgsl?raw";
import expertMxfp4PackedWgsl from "../shaders/lib/expert-mxfp4-packed.wgsl?raw";
import expertMxfp4TileWgsl from "../shaders/lib/expert-mxfp4-tile.wgsl?raw";
import expertRowsWgsl from "../shaders/lib/expert-rows.wgsl?raw";
import gainedInputsWgsl from "../shaders/lib/gained-inputs.wgsl?raw";
import gumbelWgsl from "../shaders/lib/gumbel.wgsl?raw";
import halvesWgsl from "../shaders/lib/halves.wgsl?raw";
import int8ActivationsWgsl from "../shaders/lib/int8-activations.wgsl?raw";
import int8HalvesWgsl from "../shaders/lib/int8-halves.wgsl?raw";
import int8RowsWgsl from "../shaders/lib/int8-rows.wgsl?raw";
import interleavedWgsl from "../shaders/lib/interleaved.wgsl?raw";
import kvF16Wgsl from "../shaders/lib/kv-f16.wgsl?raw";
import kvF32Wgsl from "../shaders/lib/kv-f32.wgsl?raw";
import largestSubgroupsWgsl from "../shaders/lib/largest-subgroups.wgsl?raw";
import largestWorkgroupWgsl from "../shaders/lib/largest-workgroup.wgsl?raw";
import mxfp4Wgsl from "../shaders/lib/mxfp4.wgsl?raw";
import mxfp4HalfWgsl from "../shaders/lib/mxfp4-half.wgsl?raw";
import orderKeyWgsl from "../shaders/lib/order-key.wgsl?raw";
import reduceSubgroupsWgsl from "../shaders/lib/reduce-subgroups.wgsl?raw";
import reduceWorkgroupWgsl from "../shaders/lib/reduce-workgroup.wgsl?raw";
import ropeKvWgsl from "../shaders/lib/rope-kv.wgsl?raw";
import rowPartsSubgroupsWgsl from "../shaders/lib/row-parts-subgroups.wgsl?raw";
import rowPartsWorkgroupWgsl from "../shaders/lib/row-parts-workgroup.wgsl?raw";
import stepWgsl from "../shaders/lib/step.wgsl?raw";
import swigluWgsl from "../shaders/lib/swiglu.wgsl?raw";
import tileWgsl from "../shaders/lib/tile.wgsl?raw";
import tileMatrixWgsl from "../shaders/lib/tile-matrix.wgsl?raw";
import type { WithActivations } from "./activation-format.ts";
import type { DenseFormat } from "./linear/dense.ts";
import type { TileTuning } from "./tuning.ts";

/** bf16 expansion. */
export const bf16: KernelLibrary = bf16Wgsl;
/** The step state's struct. */
export const step: KernelLibrary = stepWgsl;
/** The struct of the binding `part`, which kernels of matrices that may be bound in parts have. */
export const boundPart: KernelLibrary = boundPartWgsl;
/** Workgroup sums; needs the constants WG_SIZE and NUM_SUMS. */
export const reduce: KernelLibrary = { subgroups: reduceSubgroupsWgsl, workgroup: reduceWorkgroupWgsl };
/** MXFP4 codes and scales to f32, in the form that the adapter can do. */
export const mxfp4: KernelLibrary = ({ mxfp4: form }) => (form === "half" ? mxfp4HalfWgsl : mxfp4Wgsl);
/** The experts' gated activation; needs the constant LIMIT. */
export const swiglu: KernelLibrary = swigluWgsl;
/** KV cache elements as f16, two per u32. */
export const kvF16: KernelLibrary = kvF16Wgsl;
/** KV cache elements as f32. */
export const kvF32: KernelLibrary = kvF32Wgsl;
/** Rotary embedding of one head and its way to q and the KV cache; needs a KV format. */
export const ropeKv: KernelLibrary = ropeKvWgsl;
/**
 * Reading dense weights and their products with inputs, by how both are; needs `denseConstants` and the binding `weight`.
 * `bf16` must stand before it.
 */
export const denseWeights = ({
  dense,
  activations,
}: { readonly dense: DenseFormat } & WithActivations): readonly KernelLibrary[] => {
  if (dense === "bf16") return [denseBf16Wgsl];
  return activations === "int8"
    ? [int8RowsWgsl, int8ActivationsWgsl, denseInt8PackedWgsl]
    : [int8RowsWgsl, denseInt8Wgsl];
};
/** Reading dense weights for `tile`, by how they are stored; after `denseWeights`. */
export const denseTile = { bf16: denseBf16TileWgsl, int8: denseInt8TileWgsl } as const;
/** Inputs of dense rows; after `denseWeights`. */
export const denseInputs: KernelLibrary = denseInputsWgsl;
/** Inputs of a fused norm and projection; after `denseInputs`. */
export const gainedInputs: KernelLibrary = gainedInputsWgsl;
/** Expert weights as MXFP4; needs the constants of `expertConstants` and the bindings `blocks` and `scales`. */
const expertMxfp4: readonly KernelLibrary[] = [mxfp4, expertMxfp4Wgsl];
/** Expert weights as bf16; the same functions and bindings, of which it leaves `scales` unread. */
const expertBf16: readonly KernelLibrary[] = [expertBf16Wgsl];
/** Reading expert weights, by how they are stored. `bf16` must stand before it. */
export const expertWeights = { mxfp4: expertMxfp4, bf16: expertBf16 } as const;
/** Products of expert weights with inputs for `vec`, by how both are; after `expertWeights`. */
export const expertProducts = ({
  expertFormat,
  activations,
}: { readonly expertFormat: keyof typeof expertWeights } & WithActivations): readonly KernelLibrary[] => {
  if (expertFormat === "bf16") return []; // they come with the weights
  return activations === "int8" ? [int8ActivationsWgsl, expertMxfp4PackedWgsl] : [expertMxfp4F32Wgsl];
};
/** Reading expert weights for `tile`, by how they are stored; after `expertWeights`. */
export const expertTile = { mxfp4: expertMxfp4TileWgsl, bf16: expertBf16TileWgsl } as const;
/** f32 as u32 in the same order. */
export const orderKey: KernelLibrary = orderKeyWgsl;
/** The choice of experts from the binding `logits`; after `reduce` and `orderKey`. Needs the constants E and A. */
export const chooseExperts: KernelLibrary = {
  subgroups: chooseExpertsSubgroupsWgsl,
  workgroup: chooseExpertsWorkgroupWgsl,
};
/** Sums of several rows of an expert over a workgroup; after `expertProducts`. Needs the constants WG_SIZE and ROWS. */
export const expertRows: KernelLibrary = expertRowsWgsl;
/** The order of activations that the experts' vec kernels read. */
export const interleaved: KernelLibrary = interleavedWgsl;
/** Weights expanded to f16 for `tile-matrix`. */
const halves = { mxfp4: expertMxfp4HalvesWgsl, bf16: halvesWgsl, int8: int8HalvesWgsl } as const;
/**
 * Products of a tile of tokens with a tile of weight rows; after a library with `expand_weights`. Needs the constants of
 * `tileConstants` and K.
 */
export const tileProducts = (
  { products }: TileTuning,
  weights: keyof typeof halves,
): readonly KernelLibrary[] => (products === "f32" ? [tileWgsl] : [halves[weights], tileMatrixWgsl]);
/** Lanes that share a row of attention; needs the constant HEAD_VECS. */
export const rowParts: KernelLibrary = { subgroups: rowPartsSubgroupsWgsl, workgroup: rowPartsWorkgroupWgsl };
/** The largest over a workgroup. */
const largest: KernelLibrary = { subgroups: largestSubgroupsWgsl, workgroup: largestWorkgroupWgsl };
/** Attention of a token over a chunk of keys; needs a KV format and the constants HEADS and WG_SIZE. */
export const attentionChunk: readonly KernelLibrary[] = [rowParts, largest, attentionChunkWgsl];
/** Counter-based Gumbel noise for sampling. */
export const gumbel: KernelLibrary = gumbelWgsl;
