import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/attention/rope-kv-write.wgsl?raw";
import { ropeKv, step } from "../libraries.ts";
import { checkKvShape, type KvShape, kvConstants, kvLibrary } from "./kv-cache.ts";

const workgroupSize = 64;

/**
 * Rotates q and k, and writes k and v to the KV cache at step.position + t. qkv: [T, (Q+2K)*D] f32, bias added;
 * rope: [positions, D/2, 2] f32 (`yarnRopeTable`); q: [T, Q*D] f32; keys, values: [K, capacity, D] in the KV format.
 */
export const ropeKvWrite = defineKernel({
  id: "rope-kv-write",
  wgsl,
  libraries: ({ kvFormat }: KvShape) => [step, kvLibrary(kvFormat), ropeKv],
  bindings: {
    step: "uniform",
    qkv: "read",
    rope: "read",
    q: "read_write",
    keys: "read_write",
    values: "read_write",
  },
  constants: (shape: KvShape) => ({ ...kvConstants(shape), WG_SIZE: workgroupSize }),
  check: checkKvShape,
});

/** One invocation for four rotary pairs of a token. */
export function ropeKvWriteGrid(
  shape: Pick<KvShape, "numHeads" | "numKvHeads" | "headDim">,
  numTokens: number,
): Grid {
  const numGroups = ((shape.numHeads + 2 * shape.numKvHeads) * shape.headDim) / 8;
  return [Math.ceil(numGroups / workgroupSize), numTokens, 1];
}
