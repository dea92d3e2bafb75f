import { defineKernel, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/qkv-rope-vec.wgsl?raw";
import type { WithActivations } from "../activation-format.ts";
import { bf16, denseInputs, denseWeights, gainedInputs, reduce, ropeKv, step } from "../libraries.ts";
import { checkDense, type DenseFormat, denseConstants } from "../linear/dense.ts";
import { type Tuned, tuningOf } from "../tuning.ts";
import { checkKvShape, type KvShape, kvConstants, kvLibrary } from "./kv-cache.ts";

export interface QkvRopeShape extends KvShape, Tuned, WithActivations {
  readonly hiddenSize: number;
  readonly eps: number;
  readonly dense: DenseFormat;
}

const tuned = (shape: QkvRopeShape) =>
  shape.dense === "int8" ? tuningOf(shape).qkvInt8 : tuningOf(shape).qkv;

/**
 * RMS norm, query/key/value projection, rotation and cache write for few tokens. x: [T, H] f32; gain: [H] bf16;
 * weight: [(Q+2K)*D, H], q rows then k rows then v rows, see `DenseFormat`; bias: [(Q+2K)*D] bf16; rope: [positions, D/2, 2] f32;
 * q: [T, Q*D] f32; keys, values: [K, capacity, D] in the KV format. Uses all 8 storage buffers of the default limit.
 */
export const qkvRopeVec = defineKernel({
  id: "qkv-rope-vec",
  wgsl,
  libraries: (shape: QkvRopeShape) => [
    ...[step, bf16, ...denseWeights(shape), denseInputs, gainedInputs],
    ...[reduce, kvLibrary(shape.kvFormat), ropeKv],
  ],
  bindings: {
    step: "uniform",
    x: "read",
    gain: "read",
    weight: "read",
    bias: "read",
    rope: "read",
    q: "read_write",
    keys: "read_write",
    values: "read_write",
  },
  workgroupSizes: { software: 8 },
  constants: (shape: QkvRopeShape) => ({
    ...kvConstants(shape),
    ...denseConstants((shape.numHeads + 2 * shape.numKvHeads) * shape.headDim, shape.hiddenSize),
    H: shape.hiddenSize,
    EPS: f32(shape.eps),
    WG_SIZE: tuned(shape).workgroupSize,
    NUM_SUMS: 9,
  }),
  check: (shape) => [...checkKvShape(shape), ...checkDense("hidden size", shape.hiddenSize, shape.dense)],
});

/** One workgroup for eight rows of a token. */
export const qkvRopeVecGrid = (
  shape: Pick<KvShape, "numHeads" | "numKvHeads" | "headDim">,
  numTokens: number,
): Grid => [((shape.numHeads + 2 * shape.numKvHeads) * shape.headDim) / 8, numTokens, 1];
