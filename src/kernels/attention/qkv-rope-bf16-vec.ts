import { defineKernel, divisible, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/qkv-rope-bf16-vec.wgsl?raw";
import { bf16, reduce, ropeKv, step } from "../libraries.ts";
import { type Tuned, tuningOf } from "../tuning.ts";
import { checkKvShape, type KvShape, kvConstants, kvLibrary } from "./kv-cache.ts";

export interface QkvRopeShape extends KvShape, Tuned {
  readonly hiddenSize: number;
  readonly eps: number;
}

/**
 * RMS norm, query/key/value projection, rotation and cache write for few tokens. x: [T, H] f32; gain: [H] bf16;
 * weight: [(Q+2K)*D, H] bf16, q rows then k rows then v rows; bias: [(Q+2K)*D] bf16; rope: [positions, D/2, 2] f32;
 * q: [T, Q*D] f32; keys, values: [K, capacity, D] in the KV format. Uses all 8 storage buffers of the default limit.
 */
export const qkvRopeBf16Vec = defineKernel({
  id: "qkv-rope-bf16-vec",
  wgsl,
  libraries: ({ kvFormat }: QkvRopeShape) => [step, bf16, reduce, kvLibrary(kvFormat), ropeKv],
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
    H: shape.hiddenSize,
    EPS: f32(shape.eps),
    WG_SIZE: tuningOf(shape).qkv.workgroupSize,
    NUM_SUMS: 9,
  }),
  check: (shape) => [...checkKvShape(shape), ...divisible("hidden size", shape.hiddenSize, 8)],
});

/** One workgroup for eight rows of a token. */
export const qkvRopeBf16VecGrid = (
  shape: Pick<KvShape, "numHeads" | "numKvHeads" | "headDim">,
  numTokens: number,
): Grid => [((shape.numHeads + 2 * shape.numKvHeads) * shape.headDim) / 8, numTokens, 1];
