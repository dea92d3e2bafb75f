// What an option may force beside the candidates: the least and the most that the kernels' checks let through is right too.
import { expect, it } from "vitest";
import { type KernelVariant, kernelVariants } from "../gpu/gpu.ts";
import { defaultTuning } from "../kernels/tuning.ts";
import { overrideTuning, type TuningKey, tunedKernels } from "../kernels/tuning-candidates.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { checkKernels, selfTests } from "./self-tests.ts";

const extremes: readonly (readonly [TuningKey, object, readonly KernelVariant[]])[] = [
  ["gateUpVec", { rows: 2, workgroupSize: 1 }, kernelVariants],
  ["gateUpVec", { rows: 32, workgroupSize: 96 }, ["workgroup"]],
  ["downVec", { rows: 1, workgroupSize: 256 }, ["workgroup"]],
  ["downVec", { rows: 32, workgroupSize: 8 }, ["workgroup"]],
  ["linearVec", { rows: 1, workgroupSize: 1 }, kernelVariants],
  ["linearVec", { rows: 64, workgroupSize: 64 }, kernelVariants],
  ["linearVecInt8", { rows: 16, workgroupSize: 16 }, kernelVariants],
  ["lmHead", { rows: 128, workgroupSize: 16 }, kernelVariants],
  ["qkv", { workgroupSize: 1 }, kernelVariants],
  ["qkvInt8", { workgroupSize: 256 }, kernelVariants],
  ["linearTile", { tileTokens: 16, tileThreads: 128 }, ["workgroup"]],
  ["linearTileInt8", { tileTokens: 16, tileThreads: 128 }, ["workgroup"]],
  ["moeTile", { tileTokens: 8, tileThreads: 64 }, ["workgroup"]],
];

const rows = extremes.flatMap(([key, sizes, variants]) =>
  variants.map((variant) => ({ key, sizes, variant, text: JSON.stringify(sizes) })),
);

it.each(rows)("$key of $text gives the references' results ($variant)", async ({ key, sizes, variant }) => {
  const tuning = overrideTuning(defaultTuning, { [key]: sizes });
  const kernels = tunedKernels[key].filter((id) => selfTests.some(({ kernel }) => kernel === id));
  expect(kernels).not.toEqual([]);
  const dense = key.endsWith("Int8") ? "int8" : "bf16";
  const formats = { kvFormat: "f32", expertFormat: "mxfp4", activations: "f32" } as const;
  // Compiled as for a GPU: on a CPU adapter the sizes of workgroups would be overruled.
  const target = { mxfp4: "bits", isSoftware: false, ...formats, dense, variant, tuning } as const;
  await checkKernels(await testGpu(), kernels, target);
});
