import { describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import { type AdapterFacts, adapterFacts, requestAdapter } from "./adapter.ts";
import { describeAdapter } from "./adapter-description.ts";
import { chooseVariant, openGpu } from "./gpu.ts";

type Answer = GPUAdapter | null | Error;

const adapter = { info: { vendor: "test", description: "a test" } } as GPUAdapter;

/** A WebGPU that gives these answers in turn, the last one for ever, and counts its calls. */
function stubGpu(...answers: readonly [Answer, ...Answer[]]) {
  let calls = 0;
  const gpu = {
    async requestAdapter() {
      const answer = answers[Math.min(calls, answers.length - 1)] ?? null;
      calls += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as GPU;
  return { gpu, calls: () => calls };
}

/** Options whose pauses take no time and are noted. */
function noted() {
  const pauses: number[] = [];
  return { pauses, options: { sleep: async (ms: number) => void pauses.push(ms) } };
}

describe("requestAdapter", () => {
  it("takes the first adapter without a pause", async () => {
    const { gpu, calls } = stubGpu(adapter);
    const { pauses, options } = noted();
    expect(await requestAdapter(gpu, options)).toBe(adapter);
    expect([calls(), pauses]).toEqual([1, []]);
  });

  it("asks again where the first answer is null, as while a GPU process restarts", async () => {
    const { gpu, calls } = stubGpu(null, adapter);
    const { pauses, options } = noted();
    expect(await requestAdapter(gpu, options)).toBe(adapter);
    expect([calls(), pauses]).toEqual([2, [200]]);
  });

  it("asks again where the first call fails", async () => {
    const { gpu, calls } = stubGpu(
      new Error("A valid external Instance reference no longer exists"),
      null,
      adapter,
    );
    expect(await requestAdapter(gpu, noted().options)).toBe(adapter);
    expect(calls()).toBe(3);
  });

  it("gives up after three attempts", async () => {
    const { gpu, calls } = stubGpu(null);
    const { pauses, options } = noted();
    await expect(requestAdapter(gpu, options)).rejects.toMatchObject({
      name: "EngineError",
      code: "adapter-unavailable",
      details: { attempts: 3 },
    });
    expect([calls(), pauses]).toEqual([3, [200, 200]]);
  });

  it("keeps what the last failure said", async () => {
    const cause = new Error("blocked");
    await expect(requestAdapter(stubGpu(cause).gpu, noted().options)).rejects.toMatchObject({
      code: "adapter-unavailable",
      cause,
    });
  });

  it("says where there is no WebGPU at all", async () => {
    const error = await requestAdapter(undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "webgpu-unavailable" });
  });
});

describe("openGpu", () => {
  it("says whose device was refused", async () => {
    const refusing = {
      ...adapter,
      features: new Set(),
      limits: {},
      requestDevice: async () => {
        throw new Error("no room");
      },
    } as unknown as GPUAdapter;
    await expect(openGpu(stubGpu(refusing).gpu)).rejects.toMatchObject({
      code: "adapter-unavailable",
      message: expect.stringContaining("a test"),
    });
  });
});

describe("adapterFacts", () => {
  const factsOf = (info: Partial<GPUAdapterInfo>) => adapterFacts({ info } as unknown as GPUAdapter);

  it.each([
    [{ vendor: "google", architecture: "swiftshader", description: "", device: "" }, true],
    [{ vendor: "mesa", architecture: "", description: "llvmpipe (LLVM 15)", device: "" }, true],
    [{ vendor: "intel", architecture: "xe", description: "", device: "", isFallbackAdapter: true }, true],
    [{ vendor: "nvidia", architecture: "hopper", description: "", device: "" }, false],
  ])("knows a software adapter: %o is %s", (info, isSoftware) => {
    expect(factsOf(info).isSoftware).toBe(isSoftware);
  });
});

describe("chooseVariant", () => {
  const facts = (subgroupMinSize: number, subgroupMaxSize: number): AdapterFacts => ({
    vendor: "",
    architecture: "",
    description: "",
    isSoftware: false,
    subgroupMinSize,
    subgroupMaxSize,
  });

  it.each([
    [4, 4, "subgroups"],
    [8, 32, "subgroups"],
    [32, 32, "subgroups"],
    [4, 64, "subgroups"],
    [64, 64, "subgroups"],
    [4, 128, "workgroup"],
    [128, 128, "workgroup"],
    [2, 32, "workgroup"],
    [1, 1, "workgroup"],
  ] as const)("subgroups of %i to %i: %s", (least, most, variant) => {
    expect(chooseVariant(new Set(["subgroups"]), facts(least, most))).toBe(variant);
  });

  it("takes workgroup memory where the adapter has no subgroups, whatever sizes it names", () => {
    expect(chooseVariant(new Set(["shader-f16"]), facts(32, 32))).toBe("workgroup");
    expect(chooseVariant(new Set(), facts(4, 128))).toBe("workgroup");
  });
});

describe("describeAdapter", () => {
  it("is plain data: facts, features in order, and the limits that a device is asked for", async () => {
    const limits = {
      maxBufferSize: 4,
      maxStorageBufferBindingSize: 3,
      maxComputeWorkgroupStorageSize: 2,
      maxComputeInvocationsPerWorkgroup: 1,
      maxComputeWorkgroupSizeX: 5,
    };
    const features = new Set(["timestamp-query", "subgroups"]);
    const info = {
      vendor: "acme",
      architecture: "a",
      description: "",
      subgroupMinSize: 8,
      subgroupMaxSize: 32,
    };
    const { gpu } = stubGpu({
      info,
      features,
      limits: { ...limits, maxBindGroups: 4 },
    } as unknown as GPUAdapter);
    const description = await describeAdapter(gpu);
    expect(description).toEqual({
      ...{ vendor: "acme", architecture: "a", description: "", isSoftware: false },
      ...{ subgroupMinSize: 8, subgroupMaxSize: 32, features: ["subgroups", "timestamp-query"], limits },
    });
    expect(structuredClone(description)).toEqual(description);
  });
});
