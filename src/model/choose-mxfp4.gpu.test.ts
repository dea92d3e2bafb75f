import { describe, expect, it } from "vitest";
import { openGpu } from "../gpu/gpu.ts";
import { openCountedGpu } from "../testing/counted-gpu.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { chooseMxfp4, halfFormIsExact } from "./choose-mxfp4.ts";

describe("choice of the MXFP4 form", () => {
  it("finds f16 subnormals kept on the tests' adapters", async () => {
    expect(await halfFormIsExact(await testGpu())).toBe(true);
  });

  it("takes the form through f16 on a GPU and the plain one on a CPU adapter", async () => {
    const gpu = await testGpu();
    expect(await chooseMxfp4(gpu)).toBe(gpu.adapter.isSoftware ? "bits" : "half");
  });

  it("tells that there is no memory instead of taking it for a failed test", async () => {
    const counted = await openCountedGpu();
    const gpu = await openGpu(counted.gpu);
    counted.failAllocation("mxfp4 test scales");
    await expect(halfFormIsExact(gpu)).rejects.toMatchObject({ code: "out-of-memory" });
    expect(counted.liveBuffers()).toBe(0);
    gpu.destroy();
  });

  it("takes the plain form where the test fails", async () => {
    const gpu = await testGpu();
    const wrong = { ...gpu, adapter: { ...gpu.adapter, isSoftware: false } };
    const { compile } = gpu.pipelines;
    // An adapter that flushes: the half form's exponents are cut so that code 1 comes out as 0.
    const pipelines = {
      size: 0,
      compile: (source: Parameters<typeof compile>[0]) =>
        compile({ ...source, code: source.code.replaceAll("0x8e008e00u", "0x8c008c00u") }),
    };
    expect(await chooseMxfp4({ ...wrong, pipelines: pipelines as typeof gpu.pipelines })).toBe("bits");
  });
});
