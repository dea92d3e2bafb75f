// Where the kernels' sizes come from; measuring itself is tested in model/tuner.gpu.test.ts.
import { describe, expect, it } from "vitest";
import { createShapeFiles } from "../bench/shapes.ts";
import { EngineError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { defaultTuning } from "../kernels/tuning.ts";
import type { TunerInput } from "../model/tuner-trials.ts";
import { dryPlan } from "../testing/dry-plan.ts";
import { chooseTuning, type RememberedSettings, type TuningOptions } from "./choose-tuning.ts";

/** A GPU of a class that takes no buffers: whoever measures fails. */
const gpuOf = (vendor: string, architecture: string, more: object = {}) =>
  ({
    adapter: { vendor, architecture, description: "", isSoftware: false, ...more },
    device: {
      features: new Set(),
      limits: {
        ...{ maxBufferSize: 0, maxStorageBufferBindingSize: 0 },
        ...{ maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256 },
      },
    },
  }) as unknown as Gpu;

async function inputOf(): Promise<TunerInput> {
  const { weights, config, planOptions } = await dryPlan(createShapeFiles("toy"));
  return { weights, config, options: { ...planOptions, mxfp4: "bits" } };
}

function memory(
  values: Record<string, unknown> | "broken",
): RememberedSettings & { readonly keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    async get(key) {
      keys.push(key);
      if (values === "broken") throw new Error("no storage");
      return Object.values(values)[0];
    },
    set: async () => {},
  };
}

const remembered = { ...defaultTuning, gateUpVec: { rows: 8, workgroupSize: 32 } };

describe("chooseTuning", () => {
  it.each<[string, Gpu, TuningOptions, string]>([
    ["takes the table for the card it was made on", gpuOf("nvidia", "hopper"), {}, "table"],
    ["takes it where the driver names no architecture", gpuOf("nvidia", ""), {}, "table"],
    ["takes it on a CPU", gpuOf("google", "", { isSoftware: true }), {}, "table"],
    ["takes it where asked to", gpuOf("intel", "xe"), { tune: "table" }, "table"],
    ["says that sizes were forced", gpuOf("intel", "xe"), { tuning: { qkv: {} } }, "forced"],
    ["keeps the table where measuring fails", gpuOf("intel", "xe"), {}, "table"],
    ["survives broken storage", gpuOf("intel", "xe"), { settings: memory("broken") }, "table"],
    [
      "measures anew what makes no sense",
      gpuOf("intel", "xe"),
      { settings: memory({ a: { b: 1 } }) },
      "table",
    ],
  ])("%s", async (_, gpu, options, source) => {
    const input = await inputOf();
    expect(await chooseTuning(gpu, input, options)).toEqual({ tuning: input.options.tuning, source });
  });

  it("recalls what was measured, by adapter and model", async () => {
    const settings = memory({ any: remembered });
    const input = await inputOf();
    const wider = { ...input, config: { ...input.config, hiddenSize: 192 } };
    const choice = await chooseTuning(gpuOf("intel", "xe"), input, { settings });
    expect(choice).toEqual({ tuning: remembered, source: "remembered" });
    await chooseTuning(gpuOf("intel", "xe2"), input, { settings });
    await chooseTuning(gpuOf("intel", "xe"), wider, { settings });
    await chooseTuning(gpuOf("intel", "xe"), input, { settings, tune: "measure" });
    expect(new Set(settings.keys).size).toBe(3);
    // Another card of a vendor in the table is another class.
    const { source } = await chooseTuning(gpuOf("nvidia", "blackwell"), input, { settings });
    expect(source).toBe("remembered");
    expect(settings.keys[0]).toMatch(/^tuning:[0-9a-f]+:intel\/xe\//);
  });

  it("asks for another key where heads or texts differ, and for the same in another context", async () => {
    const settings = memory({});
    const input = await inputOf();
    const { config, options } = input;
    const ask = (changed: Partial<TunerInput>) =>
      chooseTuning(gpuOf("intel", "xe"), { ...input, ...changed }, { settings });
    await ask({});
    await ask({ options: { ...options, contextLength: 2 * options.contextLength } });
    expect(new Set(settings.keys).size).toBe(1);
    // As many rows of q, k and v, in other heads.
    await ask({ config: { ...config, numHeads: 2 * config.numHeads, headDim: config.headDim / 2 } });
    await ask({ config: { ...config, rmsNormEps: 2 * config.rmsNormEps } }); // nothing but a constant of the texts
    expect(new Set(settings.keys).size).toBe(3);
  });

  it("measures anew what is no tuning of this adapter", async () => {
    const settings = memory({ any: { ...defaultTuning, gateUpVec: { rows: 1, workgroupSize: 32 } } });
    const { source } = await chooseTuning(gpuOf("intel", "xe"), await inputOf(), { settings });
    expect(source).toBe("table"); // of a GPU on which measuring fails
  });

  it("does not take an abort for a measurement that failed", async () => {
    const gpu = gpuOf("intel", "xe");
    const options = { signal: AbortSignal.abort() };
    await expect(chooseTuning(gpu, await inputOf(), options)).rejects.toMatchObject({ code: "aborted" });
  });

  it("does not hide that the device went away", async () => {
    const gpu = gpuOf("intel", "xe");
    Object.defineProperty(gpu.device, "limits", {
      get: () => {
        throw new EngineError("device-lost", "gone");
      },
    });
    await expect(chooseTuning(gpu, await inputOf(), {})).rejects.toMatchObject({ code: "device-lost" });
  });
});
