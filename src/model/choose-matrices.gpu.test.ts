import { describe, expect, it } from "vitest";
import { EngineError, type ErrorCode } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource } from "../gpu/kernel.ts";
import { withEmulatedMatrices } from "../testing/emulated-matrices.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { matricesAreExact } from "./choose-matrices.ts";

/** The tests' GPU with its matrices, or emulated ones, whose kernels are changed on their way to the compiler. */
async function gpuWith(change: (source: KernelSource) => KernelSource): Promise<Gpu> {
  const gpu = await testGpu();
  const compile = async (source: KernelSource) => {
    if (!source.code.includes("subgroupMatrix")) return gpu.pipelines.compile(source);
    return gpu.pipelines.compile(change(gpu.hasMatrices ? source : withEmulatedMatrices(source)));
  };
  return {
    ...gpu,
    hasMatrices: true,
    pipelines: { size: 0, compile: compile as Gpu["pipelines"]["compile"] },
  };
}

const failing = (code: ErrorCode) =>
  gpuWith(() => {
    throw new EngineError(code, "No such kernel.");
  });

describe("the test of subgroup matrices", () => {
  it("accepts those that are right, in a tile that workgroups have the memory for", async () => {
    expect(await matricesAreExact(await gpuWith((source) => source))).toBe(true);
  });

  it("refuses those that are wrong", async () => {
    const wrong = await gpuWith((source) => {
      const code = source.code.replace("const SHRINK: f32 = 0.0625;", "const SHRINK: f32 = 1e-6;"); // bits are lost
      expect(code).not.toBe(source.code);
      return { ...source, code };
    });
    expect(await matricesAreExact(wrong)).toBe(false);
  });

  it.each(["shader-compile", "out-of-memory"] as const)("takes %s for a failed test", async (code) => {
    expect(await matricesAreExact(await failing(code))).toBe(false);
  });

  it("tells that the device is lost", async () => {
    await expect(matricesAreExact(await failing("device-lost"))).rejects.toMatchObject({
      code: "device-lost",
    });
  });

  it("compiles nothing where no tile fits", async () => {
    const gpu = await failing("internal");
    const limits = { maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256 };
    expect(await matricesAreExact({ ...gpu, device: { limits } as GPUDevice })).toBe(false);
  });
});
