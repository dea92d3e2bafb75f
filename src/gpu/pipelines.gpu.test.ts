import { describe, expect, it } from "vitest";
import { testGpu } from "../testing/gpu-device.ts";
import type { KernelSource } from "./kernel.ts";
import { createPipelineCache } from "./pipelines.ts";

const source = (code: string, id = "double"): KernelSource<"values"> => ({
  id,
  code,
  bindings: { values: "read_write" },
});

const good = `@group(0) @binding(0) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at: vec3<u32>) { values[at.x] *= 2.0; }`;
const bad = good.replace("*= 2.0", "*= 2u");

describe("pipeline cache", () => {
  it("compiles each text once, also when asked twice at once", async () => {
    const cache = createPipelineCache((await testGpu()).device);
    const [first, second] = await Promise.all([cache.compile(source(good)), cache.compile(source(good))]);
    expect(second).toBe(first);
    expect(await cache.compile(source(good))).toBe(first);
    expect(cache.size).toBe(1);
    expect(await cache.compile(source(`${good}\n`))).not.toBe(first);
    expect(cache.size).toBe(2);
  });

  it("names the kernel, the line and the compiler's words where a text does not compile", async () => {
    const cache = createPipelineCache((await testGpu()).device);
    const error = await cache.compile(source(bad, "broken-kernel")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "shader-compile",
      message: expect.stringMatching(
        /^Kernel broken-kernel did not compile: .*f32.*u32.*values\[at\.x\] \*= 2u/,
      ),
      details: { kernel: "broken-kernel", line: 3, sourceLine: bad.split("\n")[2] },
    });
    expect((error as { details: { column: number } }).details.column).toBeGreaterThan(60);
  });

  it("forgets a failure, so that the next call compiles anew", async () => {
    const cache = createPipelineCache((await testGpu()).device);
    const first = cache.compile(source(bad));
    await expect(first).rejects.toMatchObject({ code: "shader-compile" });
    expect(cache.size).toBe(0);
    const second = cache.compile(source(bad));
    expect(second).not.toBe(first);
    await expect(second).rejects.toMatchObject({ code: "shader-compile" });
  });

  it("leaves no fault on the device", async () => {
    const { device } = await testGpu();
    const faults: string[] = [];
    const note = (event: Event) => void faults.push((event as GPUUncapturedErrorEvent).error.message);
    device.addEventListener("uncapturederror", note);
    await expect(createPipelineCache((await testGpu()).device).compile(source(bad))).rejects.toThrow();
    await device.queue.onSubmittedWorkDone();
    device.removeEventListener("uncapturederror", note);
    expect(faults).toEqual([]);
  });

  it("says where bindings and text disagree", async () => {
    const cache = createPipelineCache((await testGpu()).device);
    const mismatched: KernelSource<"values"> = { ...source(good, "readonly"), bindings: { values: "read" } };
    await expect(cache.compile(mismatched)).rejects.toMatchObject({
      code: "shader-compile",
      details: { kernel: "readonly" },
    });
  });
});
