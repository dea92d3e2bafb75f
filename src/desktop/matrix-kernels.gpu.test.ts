// SwiftShader has no subgroup matrices, so that here the kernels on them are only compiled, by Dawn's null backend, which
// has every feature. On a GPU with matrices (TEST_ADAPTER=auto) the kernels' own tests run them.
import { expect, it } from "vitest";
import { composeKernel, type KernelSource } from "../gpu/kernel.ts";
import { linearTile } from "../kernels/linear/linear-tile.ts";
import { moeDownTile } from "../kernels/moe/moe-down-tile.ts";
import { moeGateUpSwigluTile } from "../kernels/moe/moe-gate-up-swiglu-tile.ts";
import { matrixTuning } from "../kernels/tuning.ts";
import { loadDawn } from "./dawn.ts";

const moe = {
  hiddenSize: 96,
  expertWidth: 160,
  numExperts: 5,
  expertsPerToken: 2,
  eps: 1e-5,
  swigluLimit: 7,
  tuning: matrixTuning,
} as const;
const linear = {
  inputSize: 40,
  outputSize: 67,
  addBias: true,
  addToOut: true,
  dense: "bf16",
  tuning: matrixTuning,
} as const;
const target = { variant: "subgroups" } as const;

const sources: Record<string, KernelSource> = {
  "gate_up, MXFP4": composeKernel(moeGateUpSwigluTile, { ...moe, expertFormat: "mxfp4" }, target),
  "gate_up, bf16": composeKernel(moeGateUpSwigluTile, { ...moe, expertFormat: "bf16" }, target),
  "down, MXFP4": composeKernel(moeDownTile, { ...moe, expertFormat: "mxfp4" }, target),
  "down, bf16": composeKernel(moeDownTile, { ...moe, expertFormat: "bf16" }, target),
  "linear, bf16": composeKernel(linearTile, linear, target),
  "linear, int8": composeKernel(linearTile, { ...linear, inputSize: 96, dense: "int8" }, target),
};

const dawn = await loadDawn();
Object.assign(globalThis, dawn.globals);
const instance = dawn.create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
(globalThis as { nullInstance?: GPU }).nullInstance = instance; // must not be collected under the device

it.each(Object.entries(sources))("%s by subgroup matrices is valid WGSL", async (_name, { code }) => {
  expect(code).toContain("subgroupMatrixMultiplyAccumulate");
  const adapter = await instance.requestAdapter();
  const device = await adapter?.requestDevice({
    requiredFeatures: ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix" as GPUFeatureName],
  });
  if (device === undefined) throw new Error("The null backend gave no device.");
  device.pushErrorScope("validation");
  device.createShaderModule({ code });
  expect((await device.popErrorScope())?.message).toBeUndefined();
});
