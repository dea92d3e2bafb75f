import { describe, expect, it } from "vitest";
import { EngineError, type ErrorCode } from "../errors.ts";
import { withMatrices } from "../testing/emulated-matrices.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { matricesAreExact } from "./choose-matrices.ts";

const failing = async (code: ErrorCode) =>
  withMatrices(await testGpu(), () => {
    throw new EngineError(code, "No such kernel.");
  });

describe("the test of subgroup matrices", () => {
  it("accepts those that are right, in a tile that workgroups have the memory for", async () => {
    expect(await matricesAreExact(withMatrices(await testGpu()))).toBe(true);
  });

  it("refuses those that are wrong", async () => {
    const wrong = withMatrices(await testGpu(), (source) => {
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
