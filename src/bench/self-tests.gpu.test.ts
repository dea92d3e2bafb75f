import { describe, expect, it } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";
import { kernelVariants } from "../gpu/gpu.ts";
import type { SelfTestTarget } from "../kernels/self-test.ts";
import { defaultTuning } from "../kernels/tuning.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { checkKernels, selfTests } from "./self-tests.ts";

const kernels = [...new Set(selfTests.map(({ kernel }) => kernel))];
const target = (gpu: Gpu): SelfTestTarget => ({
  ...{ variant: gpu.variant, mxfp4: "bits", isSoftware: gpu.adapter.isSoftware, tuning: defaultTuning },
  ...{ kvFormat: "f32", expertFormat: "mxfp4", dense: "bf16", activations: "f32" },
});

/** The test GPU with a fault in what it compiles. */
const faulty = (gpu: Gpu, from: string, to: string): Gpu => {
  const compile: Gpu["pipelines"]["compile"] = (source) =>
    gpu.pipelines.compile({ ...source, code: source.code.replaceAll(from, to) });
  return { ...gpu, pipelines: { size: 0, compile } };
};

describe("self-tests", () => {
  it.each(kernelVariants)("pass for every kernel (%s)", async (variant) => {
    const gpu = await testGpu();
    const formats = { kvFormat: "f16", expertFormat: "bf16", dense: "int8" } as const;
    const other = variant === "subgroups" ? {} : formats;
    expect(await checkKernels(gpu, kernels, { ...target(gpu), variant, ...other })).toEqual(kernels);
  });

  it("pass for the kernels that take int8 activations", async () => {
    const gpu = await testGpu();
    const vec = ["qkv-rope-vec", "linear-residual-vec", "lm-head-vec"];
    const all = [...vec, "moe-gate-up-swiglu-vec", "moe-down-vec"];
    const formats = { dense: "int8", activations: "int8" } as const;
    expect(await checkKernels(gpu, all, { ...target(gpu), ...formats })).toEqual(all);
    // They compare with what int8 leaves of the inputs: finer or coarser scales are wrong.
    const run = checkKernels(faulty(gpu, "127.0 / range", "63.0 / range"), vec, {
      ...target(gpu),
      ...formats,
    });
    await expect(run).rejects.toMatchObject({ details: { kernel: "qkv-rope-vec" } });
  });

  it("name the kernel that is wrong", async () => {
    const gpu = await testGpu();
    const run = checkKernels(faulty(gpu, "+ EPS", "* 1.5 + EPS"), ["embed", "rms-norm"], target(gpu));
    await expect(run).rejects.toMatchObject({ code: "internal", details: { kernel: "rms-norm" } });
    await expect(run).rejects.toThrow(/rms-norm is not timed.*output\[\d+\]: got/);
  });

  it("refuse a kernel without a test", async () => {
    const gpu = await testGpu();
    await expect(checkKernels(gpu, ["new-kernel"], target(gpu))).rejects.toThrow(/new-kernel.*no self-test/);
  });
});
