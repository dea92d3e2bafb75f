import { describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource } from "../gpu/kernel.ts";
import { loadModel } from "../runtime/loaded-model.ts";
import { fixture } from "../testing/engine.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { chooseTestedVariant } from "./choose-variant.ts";

/** The tests' GPU, on which the test's kernel is changed on its way to the compiler. */
async function gpuWith(change: (code: string) => string): Promise<Gpu> {
  const gpu = await testGpu();
  const compile = async (source: KernelSource) => {
    if (source.id !== "subgroup-order") return gpu.pipelines.compile(source);
    const code = change(source.code);
    expect(code).not.toBe(source.code);
    return gpu.pipelines.compile({ ...source, code });
  };
  return { ...gpu, pipelines: { size: 0, compile: compile as Gpu["pipelines"]["compile"] } };
}

/** Invocations that are numbered another way than the device does. */
const renumbered = (index: string) =>
  gpuWith((code) =>
    code.replace(
      "fn main(lane: Lane) {",
      `fn main(given: Lane) {\n  var lane = given;\n  lane.index = ${index};`,
    ),
  );

const oddsAndEvens = "given.index / 2u + (given.index % 2u) * (WG_SIZE / 2u)";

describe("the test of subgroups", () => {
  it("passes on the tests' adapters, as for a CPU and as for a GPU", async () => {
    const gpu = await testGpu();
    for (const isSoftware of [true, false])
      expect(await chooseTestedVariant({ ...gpu, adapter: { ...gpu.adapter, isSoftware } })).toBe(
        gpu.variant,
      );
    expect(gpu.variant).toBe("subgroups");
  });

  it.each([
    ["invocations are dealt out to subgroups in turn", oddsAndEvens],
    ["subgroups are in another order", "WG_SIZE - 1u - given.index"],
    ["two neighbours are exchanged", "select(given.index, given.index ^ 1u, given.index / 2u == 1u)"],
  ])("fails where %s", async (_, index) => {
    expect(await chooseTestedVariant(await renumbered(index))).toBe("workgroup");
  });

  it("fails where a subgroup is not of the size it is told", async () => {
    const gpu = await gpuWith((code) =>
      code.replace("vec4<u32>(lane.subgroup_size,", "vec4<u32>(2u * lane.subgroup_size,"),
    );
    // A CPU adapter's workgroup may be a single subgroup, in which nothing shows that.
    const asGpu = { ...gpu, adapter: { ...gpu.adapter, isSoftware: false } };
    expect(await chooseTestedVariant(asGpu)).toBe("workgroup");
  });

  it("fails where its kernel does not compile", async () => {
    const gpu = await gpuWith(() => {
      throw new EngineError("shader-compile", "No subgroups.");
    });
    expect(await chooseTestedVariant(gpu)).toBe("workgroup");
  });

  it("is left out where there are no subgroups", async () => {
    const gpu = await gpuWith(() => {
      throw new Error("compiled");
    });
    expect(await chooseTestedVariant({ ...gpu, variant: "workgroup" })).toBe("workgroup");
  });
});

it("a model loads without subgroups where they are not in order", async () => {
  const gpu = await renumbered(oddsAndEvens);
  const model = await loadModel(gpu, fixture("tiny-mxfp4", 0).files, { contextLength: 64 });
  model.destroy();
  expect(model.info.variant).toBe("workgroup");
});
