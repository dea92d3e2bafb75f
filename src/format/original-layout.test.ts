import { beforeAll, describe, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { type FileMap, filesInMemory, originalCheckpoint } from "../testing/original-checkpoint.ts";
import { repositoryPath } from "../testing/reference.ts";
import { readManifest } from "../weights/manifest.ts";
import { parseModelConfig } from "./config.ts";
import { inHfLayout } from "./original-layout.ts";
import type { TensorEntry } from "./types.ts";

const hf = createFolderFiles(repositoryPath("fixtures/tiny-mxfp4"));
let files: FileMap;
beforeAll(async () => {
  files = await originalCheckpoint(hf);
});
const original = (changes: Iterable<readonly [string, string | Uint8Array]> = []) =>
  filesInMemory("original", new Map([...files, ...changes]));

const entry = (name: string, shape: readonly number[]): TensorEntry => ({
  name,
  shape,
  dtype: "BF16",
  file: "model.safetensors",
  startBytes: 100,
  endBytes: 100 + shape.reduce((product, size) => product * size, 2),
});

describe("OpenAI's own layout", () => {
  it("gives the config of the same model in Hugging Face's layout, but for the stop ids", async () => {
    const { config } = await readManifest(hf);
    expect((await readManifest(original())).config).toEqual({ ...config, eosTokenIds: [] });
  });

  it("has every tensor's bytes where the manifest says, q, k and v inside the fused one", async () => {
    const [there, here] = [await readManifest(hf), await readManifest(original())];
    expect([...here.tensors.keys()].sort()).toEqual([...there.tensors.keys()].sort());
    for (const [name, { file, startBytes, endBytes }] of here.tensors) {
      const expected = there.tensors.get(name);
      if (expected === undefined) throw new Error(name);
      const bytes = await original().read(file, startBytes, endBytes);
      const same = await hf.read(expected.file, expected.startBytes, expected.endBytes);
      expect(Buffer.compare(bytes, same), name).toBe(0);
    }
  });

  it("reads shards named as OpenAI's 120b, through their index", async () => {
    const names = [...(await readManifest(original())).tensors.keys()];
    expect(names.length).toBeGreaterThan(10);
    const file = "model--00001-of-00001.safetensors";
    const all = Object.keys(JSON.parse((files.get("dtypes.json") as string) ?? "{}"));
    const index = JSON.stringify({ weight_map: Object.fromEntries(all.map((name) => [name, file])) });
    const sharded = original([
      ["model.safetensors.index.json", index],
      [file, files.get("model.safetensors") ?? ""],
    ]);
    expect((await readManifest(sharded)).files.map(({ name }) => name)).toEqual([file]);
  });

  it("works with a config.json in Hugging Face's dialect beside it", async () => {
    const config = (await hf.readText("config.json")) ?? "";
    const manifest = await readManifest(original([["config.json", config]]));
    expect(manifest.config.eosTokenIds).toEqual([318]);
  });

  it("takes the published config of 20b", () => {
    const config = parseModelConfig({
      num_hidden_layers: 24,
      num_experts: 32,
      experts_per_token: 4,
      vocab_size: 201088,
      hidden_size: 2880,
      intermediate_size: 2880,
      swiglu_limit: 7.0,
      head_dim: 64,
      num_attention_heads: 64,
      num_key_value_heads: 8,
      sliding_window: 128,
      initial_context_length: 4096,
      rope_theta: 150000,
      rope_scaling_factor: 32.0,
      rope_ntk_alpha: 1,
      rope_ntk_beta: 32,
    });
    expect(config).toMatchObject({ maxPositionEmbeddings: 131072, expertFormat: "mxfp4", numExperts: 32 });
    expect(config.layerTypes.slice(0, 3)).toEqual(["sliding", "full", "sliding"]);
    expect(config.rope).toMatchObject({ factor: 32, betaFast: 32, betaSlow: 1, truncate: false });
  });

  it.each(["initial_context_length", "rope_scaling_factor", "rope_ntk_beta", "rope_ntk_alpha"])(
    "names a %s that is wrong",
    (field) => {
      const json = { ...JSON.parse(files.get("config.json") as string), [field]: "many" };
      expect(() => parseModelConfig(json)).toThrow(new RegExp(`config.json: ${field} must be`));
    },
  );
});

describe("inHfLayout", () => {
  const config = { ...parseModelConfig(configJson()), numHeads: 4, numKvHeads: 2, headDim: 8 };

  it("splits the fused weight and bias into rows of q, k and v", () => {
    const split = inHfLayout(config, [entry("block.3.attn.qkv.weight", [64, 32])]);
    expect(split.map(({ name, shape, startBytes, endBytes }) => [name, shape, startBytes, endBytes])).toEqual(
      [
        ["model.layers.3.self_attn.q_proj.weight", [32, 32], 100, 2148],
        ["model.layers.3.self_attn.k_proj.weight", [16, 32], 2148, 3172],
        ["model.layers.3.self_attn.v_proj.weight", [16, 32], 3172, 4196],
      ],
    );
    expect(inHfLayout(config, [entry("block.0.attn.qkv.bias", [64])]).at(-1)).toMatchObject({
      name: "model.layers.0.self_attn.v_proj.bias",
      shape: [16],
      startBytes: 196,
      endBytes: 228,
    });
  });

  it("refuses a fused tensor with other rows than the config says", () => {
    expect(() => inHfLayout(config, [entry("block.0.attn.qkv.weight", [63, 32])])).toThrow(
      /has 63 rows, expected 64: 32 of q, then 16 of k and of v/,
    );
  });

  it("refuses a mixture of both layouts", () => {
    const both = [entry("norm.scale", [32]), entry("lm_head.weight", [10, 32])];
    expect(() => inHfLayout(config, both)).toThrow(/mixes two layouts: norm.scale .* lm_head.weight/);
  });

  it.each([
    ["block.0.mlp.mlp1_weight", /must be MXFP4/],
    ["block.0.attn.rope.weight", /no gpt-oss model has it/],
  ])("refuses %s", (name, message) => {
    expect(() => inHfLayout(config, [entry(name, [8])])).toThrow(message);
  });

  it("leaves Hugging Face's layout alone", () => {
    const entries = [entry("model.norm.weight", [32])];
    expect(inHfLayout(config, entries)).toBe(entries);
  });
});

function configJson(): unknown {
  return {
    num_hidden_layers: 4,
    num_experts: 4,
    experts_per_token: 2,
    vocab_size: 100,
    hidden_size: 32,
    intermediate_size: 32,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    sliding_window: 8,
    initial_context_length: 64,
    rope_theta: 10000,
    rope_scaling_factor: 4,
    rope_ntk_alpha: 1,
    rope_ntk_beta: 32,
  };
}
