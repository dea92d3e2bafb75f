import { describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import { parseModelConfig } from "../format/config.ts";
import { manifestOfConfig } from "../format/manifest-of-config.ts";
import { type PublishedShape, publishedConfig } from "../format/published-shapes.ts";
import type { AdapterDescription } from "../gpu/adapter-description.ts";
import { fakeAdapter } from "../testing/fake-engine.ts";
import { type CapabilityOptions, capabilityReport } from "./capability-report.ts";
import { checkedPlanOptions } from "./plan-options.ts";

const manifestOf = (shape: PublishedShape, changes: Record<string, unknown> = {}) =>
  manifestOfConfig(parseModelConfig({ ...publishedConfig(shape), ...changes }));
const report = (options?: CapabilityOptions, adapter: AdapterDescription | EngineError = fakeAdapter) =>
  capabilityReport(adapter, manifestOf("20b"), options);
const withLimit = (maxStorageBufferBindingSize: number): AdapterDescription => ({
  ...fakeAdapter,
  limits: { ...fakeAdapter.limits, maxStorageBufferBindingSize },
});

describe("capabilityReport of 20b", () => {
  it("adds up to the published sizes", () => {
    const { canLoad, needs, downloadBytes, contextLength, variant, problems } = report();
    expect({ canLoad, contextLength, variant, problems }).toEqual({
      canLoad: true,
      contextLength: 8192,
      variant: "subgroups",
      problems: [],
    });
    expect(downloadBytes).toBe(13_761_264_768);
    expect(needs.weightBytes).toBeGreaterThanOrEqual(13_761_264_768);
    // 12 full layers of 8192 positions, 12 rings of 127 + 1024; keys and values of 8 heads of 64 numbers, f32.
    expect(needs.kvBytes).toBe(12 * (8192 + 1151) * 2 * 8 * 64 * 4);
    expect(needs.totalBytes).toBe(needs.weightBytes + needs.kvBytes + needs.activationBytes);
    expect(needs.activationBytes).toBeGreaterThan(50e6);
    expect(needs.activationBytes).toBeLessThan(300e6);
  });

  it("of 120b is as large as published", () => {
    expect(capabilityReport(fakeAdapter, manifestOf("120b")).downloadBytes).toBe(65_248_815_744);
  });

  it("halves the KV cache with f16", () => {
    expect(report({ kvFormat: "f16" }).needs.kvBytes).toBe(report().needs.kvBytes / 2);
  });

  it("survives structured clone", () => {
    expect(structuredClone(report())).toEqual(report());
  });

  it("names what it costs and what helps where the memory is known and too small", () => {
    const { canLoad, problems, longestContext } = report({ gpuMemoryBytes: 12e9 });
    expect(canLoad).toBe(false);
    expect(longestContext).toBe(0);
    expect(problems).toMatchObject([
      {
        severity: "blocks",
        code: "out-of-memory",
        message: expect.stringMatching(/needs 14.* GB.*has 12.00 GB/),
      },
    ]);
    expect(problems[0]?.remedy).toMatch(/more memory, or a smaller model.*f16.*int8" takes 1.14 GB less/);
  });

  it("counts int8 dense weights at their size", () => {
    const options = { gpuMemoryBytes: 13.5e9 };
    expect(report({ ...options }).canLoad).toBe(false);
    expect(report({ ...options, dense: "int8" })).toMatchObject({ canLoad: true, dense: "int8" });
  });

  it("finds the longest context that the memory holds, to the token", () => {
    const gpuMemoryBytes = 16e9;
    const { longestContext = 0, problems } = report({ contextLength: 131072, gpuMemoryBytes });
    expect(longestContext).toBeGreaterThan(30_000);
    expect(problems[0]?.remedy).toMatch(new RegExp(`contextLength of at most ${longestContext}\\.`));
    expect(report({ contextLength: longestContext, gpuMemoryBytes }).canLoad).toBe(true);
    expect(report({ contextLength: longestContext + 1, gpuMemoryBytes }).canLoad).toBe(false);
  });

  it("blocks where a buffer is larger than the adapter binds, as a load would", () => {
    const adapter = withLimit(20 * 2 ** 20);
    const { problems, canLoad } = report({}, adapter);
    expect(canLoad).toBe(false);
    expect(problems).toMatchObject([{ severity: "blocks", code: "limit-exceeded" }]);
    const gpu = { device: { limits: adapter.limits, features: new Set<string>() }, variant: "workgroup" };
    const check = () => checkedPlanOptions(gpu as never, manifestOf("20b"), {});
    expect(check).toThrow(problems[0]?.message);
  });

  it("names the context that an adapter's limit leaves", () => {
    const adapter = withLimit(128 * 2 ** 20);
    const { longestContext = 0, problems } = report({ contextLength: 131072 }, adapter);
    expect(longestContext).toBeLessThan(131072);
    expect(problems[0]?.message).toMatch(/keys/);
    expect(report({ contextLength: longestContext }, adapter).canLoad).toBe(true);
    expect(report({ contextLength: longestContext + 1 }, adapter).canLoad).toBe(false);
  });

  it("reports the sizes even where there is no adapter", () => {
    const failure = new EngineError("webgpu-unavailable", "WebGPU is not available here.");
    const { canLoad, adapter, variant, needs, problems, longestContext } = report({}, failure);
    expect({ canLoad, adapter, variant, longestContext }).toEqual({ canLoad: false });
    expect(needs).toEqual(report().needs);
    expect(problems).toMatchObject([
      { severity: "blocks", code: "webgpu-unavailable", remedy: expect.stringMatching(/Chrome or Edge/) },
    ]);
  });

  it("refuses options that a load would refuse, and reports the sizes of the defaults", () => {
    const long = report({ contextLength: 200_000 });
    expect(long).toMatchObject({
      canLoad: false,
      contextLength: 8192,
      problems: [{ code: "request-invalid" }],
    });
    const plain = { ...fakeAdapter, features: [] };
    expect(report({ variant: "subgroups" }, plain)).toMatchObject({ canLoad: false, variant: "workgroup" });
    expect(report({}, plain)).toMatchObject({ canLoad: true, variant: "workgroup" });
  });

  it("warns of a software adapter and of a full disk, but does not refuse", () => {
    const adapter = { ...fakeAdapter, isSoftware: true };
    const { canLoad, problems } = report({ storageBytes: 1e9 }, adapter);
    expect(canLoad).toBe(true);
    expect(problems.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "warns slow",
      "warns storage-full",
    ]);
    expect(problems[1]?.message).toMatch(/room for 1.00 GB, the model takes 13.76 GB/);
  });

  it("counts bf16 experts at their size", () => {
    const { needs } = capabilityReport(fakeAdapter, manifestOf("20b", { quantization_config: null }));
    expect(needs.weightBytes).toBeGreaterThan(41.8e9);
  });
});
