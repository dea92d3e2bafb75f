// Whether a model fits an adapter, told from its description: nothing is read, downloaded or allocated.
import { describe, expect, it } from "vitest";
import { createSyntheticFiles, syntheticConfig } from "../bench/synthetic-files.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { defaultTuning } from "../kernels/tuning.ts";
import { readManifest } from "../weights/manifest.ts";
import { modelNeeds } from "./model-needs.ts";
import { checkedPlanOptions, type LoadModelOptions } from "./plan-options.ts";

const gib = 2 ** 30;
const shapes = {
  "20b": syntheticConfig("20b"),
  "a small vocabulary": { ...syntheticConfig("20b"), vocab_size: 1024, eos_token_id: 3 },
  "bf16 experts": {
    ...syntheticConfig("20b"),
    ...{ quantization_config: null, vocab_size: 1024, eos_token_id: 3 },
  },
  "wide bf16 experts": {
    ...syntheticConfig("20b"),
    ...{ quantization_config: null, vocab_size: 1024, eos_token_id: 3, intermediate_size: 5760 },
  },
  "wide MXFP4 experts": {
    ...syntheticConfig("20b"),
    ...{ vocab_size: 1024, eos_token_id: 3, intermediate_size: 23040 },
  },
  "an output projection whose rows are no whole blocks of int8": {
    ...syntheticConfig("20b"),
    ...{ num_local_experts: 4, vocab_size: 1024, eos_token_id: 3, hidden_size: 64, intermediate_size: 64 },
    ...{ num_attention_heads: 3, num_key_value_heads: 1, head_dim: 40 },
  },
  "many heads": {
    ...syntheticConfig("20b"),
    ...{ num_local_experts: 4, vocab_size: 1024, eos_token_id: 3 },
    ...{ num_attention_heads: 1024, num_key_value_heads: 512 },
  },
};

/** A GPU that has these limits and cannot make anything. */
const limited = (maxBufferSize: number, maxStorageBufferBindingSize = maxBufferSize) =>
  ({
    device: { limits: { maxBufferSize, maxStorageBufferBindingSize }, features: new Set() },
    variant: "workgroup",
  }) as unknown as Gpu;

const manifests = new Map<string, ReturnType<typeof readManifest>>();

async function check(shape: keyof typeof shapes, gpu: Gpu, options: LoadModelOptions = {}) {
  const manifest = manifests.get(shape) ?? readManifest(createSyntheticFiles(shapes[shape], shape));
  manifests.set(shape, manifest);
  return checkedPlanOptions(gpu, await manifest, options);
}

describe("a model fits", () => {
  it("where every buffer does", async () => {
    expect(await check("20b", limited(2 * gib))).toEqual({
      contextLength: 8192,
      kvFormat: "f32",
      dense: "bf16",
      activations: "f32",
      variant: "workgroup",
      maxTokensPerPass: 1024,
      tuning: defaultTuning,
    });
  });

  it("to the byte", async () => {
    const largest = 64 * 80 * 2880 * 2; // fused q, k and v: the largest that is not split
    await expect(check("20b", limited(largest), { maxTokensPerPass: 128 })).resolves.toBeDefined();
    await expect(check("20b", limited(largest - 4), { maxTokensPerPass: 128 })).rejects.toMatchObject({
      code: "limit-exceeded",
    });
  });

  it("with the limits that every adapter has, split into parts", async () => {
    await expect(check("20b", limited(gib / 4, gib / 8))).resolves.toBeDefined();
    await expect(check("bf16 experts", limited(gib / 4, gib / 8))).resolves.toBeDefined();
  });
});

describe("forced sizes", () => {
  const gpu = limited(2 * gib);
  it.each([
    ["one row of gates and ups", { gateUpVec: { rows: 1 } }, /a positive multiple of 2/],
    ["more sums than a workgroup has memory for", { gateUpVec: { rows: 256 } }, /more than 16 KiB/],
    [
      "rows of gates and ups that are no whole workgroups",
      { gateUpVec: { rows: 256, workgroupSize: 8 } },
      /5760/,
    ],
    ["rows that are no whole workgroups", { downVec: { rows: 128, workgroupSize: 16 } }, /2880/],
    ["more rows than invocations", { linearVec: { rows: 64, workgroupSize: 32 } }, /as many invocations/],
    ["more sums of dense rows than fit", { linearVec: { rows: 64 } }, /32768 bytes/],
    ["more sums of logits than fit", { lmHead: { rows: 256, workgroupSize: 64 } }, /65792 bytes/],
    ["f32 tiles of 128 rows", { moeTile: { tileRows: 128, tileThreads: 128 } }, /f32 tile has 64 rows/],
    ["f32 tiles of 32 rows", { linearTile: { tileRows: 32, tileThreads: 64 } }, /f32 tile has 64 rows/],
    ["f32 tiles of 256 invocations", { linearTile: { tileThreads: 256 } }, /64 or 128 invocations/],
    ["f32 tiles of too few tokens", { linearTile: { tileTokens: 8 } }, /eight invocations each/],
    ["f32 tiles of too many tokens", { linearTile: { tileTokens: 96 } }, /takes 16384 bytes/],
    ["products that the adapter has not", { moeTile: { products: "matrix", tileTokens: 64 } }, /no subgroup/],
  ] as const)("are refused before anything is allocated: %s", async (_, tuning, sentence) => {
    const refused = check("20b", gpu, { tuning });
    await expect(refused).rejects.toMatchObject({ code: "request-invalid" });
    await expect(refused).rejects.toThrow(sentence);
  });

  it("are refused where they are no tiles of subgroup matrices, or too large ones", async () => {
    const storage = { maxComputeWorkgroupStorageSize: 32768, maxComputeInvocationsPerWorkgroup: 256 };
    const device = { limits: { ...gpu.device.limits, ...storage }, features: new Set() };
    const withMatrices = { ...gpu, device, hasMatrices: true } as unknown as Gpu;
    const forced = (tuning: LoadModelOptions["tuning"], matrices = true) =>
      check("20b", withMatrices, { ...(tuning && { tuning }), matrices });
    await expect(forced({ moeTile: { tileThreads: 256 } })).rejects.toThrow(/an invocation for 64 sums/);
    const large = { tileRows: 256, tileThreads: 256 };
    await expect(forced({ moeTile: large })).rejects.toThrow(/more than the 32768 bytes/);
    expect((await forced({ moeTile: { tileRows: 64, tileThreads: 64 } })).tuning.moeTile.tileRows).toBe(64);
    expect((await forced(undefined)).tuning.moeTile).toMatchObject({ tileRows: 128, products: "matrix" });
    const half = { tileRows: 128, tileThreads: 128 };
    expect((await forced({ linearTile: half })).tuning.linearTile).toMatchObject(half);
    await expect(forced({ linearTileInt8: half })).rejects.toThrow(/more than the 32768 bytes/);
    expect((await forced({ moeTile: { tileTokens: 64 } }, false)).tuning.moeTile.products).toBe("f32");
  });

  it("are refused where only some dense weights are int8", async () => {
    const shape = "an output projection whose rows are no whole blocks of int8";
    const forced = (tuning: LoadModelOptions["tuning"]) =>
      check(shape, gpu, { dense: "int8", ...(tuning && { tuning }) });
    const wrong = { tileRows: 32, tileThreads: 64 };
    await expect(forced({ linearTileInt8: wrong })).rejects.toThrow(/f32 tile has 64 rows/);
    await expect(forced({ linearTile: wrong })).rejects.toThrow(/f32 tile has 64 rows/);
    expect((await forced({ linearTileInt8: { tileThreads: 64 } })).tuning.linearTileInt8.tileThreads).toBe(
      64,
    );
  });

  it("are taken where kernels can run with them", async () => {
    const { tuning } = await check("20b", gpu, { tuning: { linearVec: { rows: 16 }, downVec: { rows: 1 } } });
    expect([tuning.linearVec.rows, tuning.downVec.rows]).toEqual([16, 1]);
  });
});

describe("int8 activations", () => {
  const packed = { ...limited(2 * gib), hasPackedDot: true };
  const activations = "int8";
  it("are used where asked for, where WGSL has their product, and where some weights take them", async () => {
    const got = async (gpu: Gpu, options: LoadModelOptions) =>
      (await check("bf16 experts", gpu, options)).activations;
    expect(await got(packed, { dense: "int8", activations })).toBe("int8");
    expect(await got({ ...packed, hasPackedDot: false }, { dense: "int8", activations })).toBe("f32");
    expect(await got(packed, { activations })).toBe("f32");
    expect(await got(packed, { dense: "int8" })).toBe("f32");
    expect((await check("20b", packed, { activations })).activations).toBe("int8");
  });
});

describe("int8 dense weights", () => {
  it("take 8.5 bits each instead of 16", async () => {
    const manifest = await readManifest(createSyntheticFiles(shapes["20b"], "20b"));
    const weightBytes = (dense: "bf16" | "int8") =>
      modelNeeds(manifest, checkedPlanOptions(limited(2 * gib), manifest, { dense })).weightBytes;
    const dense = 24 * 2880 * (5120 + 4096) + 201088 * 2880;
    expect(weightBytes("bf16") - weightBytes("int8")).toBe(dense * 2 - (dense * 34) / 32);
  });

  it("are in parts as well where lm_head is larger than the adapter binds", async () => {
    const headBytes = (201088 * 2880 * 34) / 32;
    await expect(
      check("20b", limited(headBytes / 2), { dense: "int8", contextLength: 64 }),
    ).resolves.toBeDefined();
  });
});

describe("a model does not fit", () => {
  it.each<[string, keyof typeof shapes, Gpu, LoadModelOptions, string, number]>([
    ["what is bound", "20b", limited(4 * gib, 24e6), {}, "layer 0 qkv weight", 5120 * 2880 * 2],
    [
      "a single bf16 expert",
      "wide bf16 experts",
      limited(11520 * 2880 * 2 - 4),
      { contextLength: 64 },
      "layer 0 gateUp weight, part 1 of 32",
      11520 * 2880 * 2,
    ],
    [
      "a single MXFP4 expert",
      "wide MXFP4 experts",
      limited(46080 * 90 * 16 - 4),
      { contextLength: 64 },
      "layer 0 gateUp blocks, part 1 of 32",
      46080 * 90 * 16,
    ],
    [
      "fused q, k and v, each of which would fit",
      "many heads",
      limited(400e6),
      {},
      "layer 0 qkv weight",
      2048 * 64 * 2880 * 2,
    ],
    [
      "the KV cache of a long context",
      "a small vocabulary",
      limited(gib / 4 - 4),
      { contextLength: 131072 },
      "layer 1 keys",
      131072 * 8 * 64 * 4,
    ],
  ])("for %s", async (_, shape, gpu, options, buffer, neededBytes) => {
    const { maxStorageBufferBindingSize: limitBytes } = gpu.device.limits;
    await expect(check(shape, gpu, options)).rejects.toMatchObject({
      code: "limit-exceeded",
      message: expect.stringContaining(`${neededBytes} bytes`),
      details: { buffer, neededBytes, limitBytes },
    });
  });

  it("for a context or a variant that is not there", async () => {
    const gpu = limited(2 * gib);
    await expect(check("20b", gpu, { contextLength: 131073 })).rejects.toMatchObject({
      code: "request-invalid",
    });
    await expect(check("20b", gpu, { variant: "subgroups" })).rejects.toMatchObject({
      code: "request-invalid",
    });
  });
});
