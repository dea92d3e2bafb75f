// SwiftShader has no subgroup matrices, so that here the kernels on them are only compiled, by Dawn's null backend, which
// has every feature, but workgroup memory for none of the tiles. On a GPU with matrices (TEST_ADAPTER=auto) the kernels'
// own tests run them.
import { expect, it } from "vitest";
import { composeKernel, type KernelSource } from "../gpu/kernel.ts";
import { tileBytes } from "../kernels/check-tuning.ts";
import { linearTile } from "../kernels/linear/linear-tile.ts";
import { moeDownTile } from "../kernels/moe/moe-down-tile.ts";
import { moeGateUpSwigluTile } from "../kernels/moe/moe-gate-up-swiglu-tile.ts";
import { matrixTuning, tileKeys } from "../kernels/tuning.ts";
import { tuningCandidates } from "../kernels/tuning-candidates.ts";
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

async function nullDevice(): Promise<GPUDevice> {
  const adapter = await instance.requestAdapter();
  const device = await adapter?.requestDevice({
    requiredFeatures: ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix" as GPUFeatureName],
  });
  if (device === undefined) throw new Error("The null backend gave no device.");
  return device;
}

it.each(Object.entries(sources))("%s by subgroup matrices is valid WGSL", async (_name, { code }) => {
  expect(code).toContain("subgroupMatrixMultiplyAccumulate");
  const device = await nullDevice();
  device.pushErrorScope("validation");
  device.createShaderModule({ code });
  expect((await device.popErrorScope())?.message).toBeUndefined();
});

const tiles = tileKeys.flatMap((key) =>
  tuningCandidates(matrixTuning)[key].map((tile) => ({ key, tile, rows: tile.tileRows })),
);

it.each(tiles)("$key of $rows rows needs the workgroup memory that is counted", async ({ key, tile }) => {
  const tuning = { ...matrixTuning, [key]: tile };
  const dense = key === "linearTileInt8" ? "int8" : "bf16";
  const { code } =
    key === "moeTile"
      ? composeKernel(moeDownTile, { ...moe, expertFormat: "mxfp4", tuning }, target)
      : composeKernel(linearTile, { ...linear, inputSize: 96, dense, tuning }, target);
  const device = await nullDevice();
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  device.createComputePipeline({ layout: "auto", compute: { module } });
  const error = await device.popErrorScope();
  expect(error?.message).toContain(`workgroup storage (${tileBytes(key, tile)} bytes) is larger than`);
});
