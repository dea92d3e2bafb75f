import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import { tensorEntries } from "../testing/safetensors-bytes.ts";
import { buildManifest } from "./build-manifest.ts";
import { parseModelConfig } from "./config.ts";
import { expectedTensors } from "./expected-tensors.ts";
import { parseSafetensorsHeader } from "./safetensors.ts";
import { parseShardIndex, type ShardIndex } from "./shard-index.ts";
import { layerTensorNames } from "./tensor-names.ts";
import type { ModelConfig, TensorEntry } from "./types.ts";

function configOf(folder: string): ModelConfig {
  return parseModelConfig(JSON.parse(readFileSync(`${folder}/config.json`, "utf8")));
}

function headerOf(folder: string, file: string): TensorEntry[] {
  const bytes = readFileSync(`${folder}/${file}`);
  return parseSafetensorsHeader(file, bytes, bytes.byteLength);
}

const config = configOf("fixtures/tiny-mxfp4");
const entries = tensorEntries(expectedTensors(config).values());
const build = (changed: readonly TensorEntry[], index?: ShardIndex) =>
  buildManifest({ config, files: [], entries: changed, ...(index && { index }) });

describe("expectedTensors", () => {
  it("has the counts and shapes of gpt-oss-20b", () => {
    const real = { ...config, numLayers: 24, hiddenSize: 2880, intermediateSize: 2880, numHeads: 64 };
    const table = expectedTensors({ ...real, numKvHeads: 8, numExperts: 32, vocabSize: 201088 });
    expect(table.size).toBe(459);
    const shape = (name: string) => table.get(name)?.shape;
    expect(shape("lm_head.weight")).toEqual([201088, 2880]);
    expect(shape("model.layers.23.self_attn.q_proj.weight")).toEqual([4096, 2880]);
    expect(shape("model.layers.23.self_attn.v_proj.bias")).toEqual([512]);
    expect(shape("model.layers.23.self_attn.o_proj.weight")).toEqual([2880, 4096]);
    expect(shape("model.layers.23.mlp.experts.gate_up_proj_blocks")).toEqual([32, 5760, 90, 16]);
    expect(shape("model.layers.23.mlp.experts.gate_up_proj_scales")).toEqual([32, 5760, 90]);
    expect(shape("model.layers.23.mlp.experts.down_proj_blocks")).toEqual([32, 2880, 90, 16]);
    expect(table.get("model.layers.0.mlp.experts.down_proj_scales")?.dtype).toBe("U8");
  });
  it("adds up to the bytes of gpt-oss-120b", () => {
    const real = { ...config, numLayers: 36, hiddenSize: 2880, intermediateSize: 2880, numHeads: 64 };
    const table = expectedTensors({ ...real, numKvHeads: 8, numExperts: 128, vocabSize: 201088 });
    const sizes = [...table.values()].map(({ dtype, shape }) =>
      shape.reduce((a, b) => a * b, dtype === "U8" ? 1 : 2),
    );
    expect(table.size).toBe(687);
    expect(sizes.reduce((a, b) => a + b)).toBe(65_248_815_744);
  });
});

describe("buildManifest", () => {
  it.each(["fixtures/tiny-mxfp4", "fixtures/tiny-bf16-experts", "models/gpt-oss-nano"])(
    "accepts %s",
    (folder) => {
      const parts = { config: configOf(folder), files: [], entries: headerOf(folder, "model.safetensors") };
      const manifest = buildManifest(parts);
      expect(manifest.tensors.size).toBe(parts.entries.length);
      expect(manifest.config).toEqual(parts.config);
    },
  );
  it("accepts the sharded fixture and keeps each tensor's file", () => {
    const folder = "fixtures/tiny-sharded";
    const index = parseShardIndex(readFileSync(`${folder}/model.safetensors.index.json`, "utf8"));
    const all = index.files.flatMap((file) => headerOf(folder, file));
    const manifest = buildManifest({ config: configOf(folder), files: [], entries: all, index });
    expect(manifest.tensors.get("model.layers.0.self_attn.sinks")?.file).toBe(
      "model-00001-of-00002.safetensors",
    );
  });

  const names = layerTensorNames(2);
  const without = (name: string) => entries.filter((entry) => entry.name !== name);
  const changed = (name: string, change: Partial<TensorEntry>) =>
    entries.map((entry) => (entry.name === name ? { ...entry, ...change } : entry));
  it.each<[string, TensorEntry[], string]>([
    [
      "a missing tensor",
      without(names.sinks),
      "model.layers.2.self_attn.sinks is missing, expected BF16 [4]",
    ],
    [
      "a misshapen tensor",
      changed(names.qWeight, { shape: [128, 256] }),
      "model.layers.2.self_attn.q_proj.weight is BF16 [128, 256] in model.safetensors, expected BF16 [256, 128]",
    ],
    [
      "a flattened tensor of the right size",
      changed(names.down.blocks, { shape: [8, 128, 48] }),
      "model.layers.2.mlp.experts.down_proj_blocks is U8 [8, 128, 48] in model.safetensors, expected U8 [8, 128, 3, 16]",
    ],
    [
      "a mistyped tensor",
      changed(names.gateUp.scales, { dtype: "BF16" }),
      "model.layers.2.mlp.experts.gate_up_proj_scales is BF16 [8, 192, 4] in model.safetensors, expected U8 [8, 192, 4]",
    ],
    [
      "an unknown tensor",
      [...entries, ...tensorEntries([{ name: "model.extra", dtype: "U8", shape: [1] }])],
      "model.extra (U8 [1] in model.safetensors) is unexpected: no gpt-oss model has it",
    ],
    [
      "a layer too many",
      [...entries, ...tensorEntries([{ name: "model.layers.4.self_attn.sinks", dtype: "BF16", shape: [4] }])],
      "is unexpected: config.json has 4 layers",
    ],
    [
      "a whole layer missing",
      entries.filter(({ name }) => !name.startsWith("model.layers.2.")),
      "layer 2 is missing, all 19 tensors of it",
    ],
    ["a tensor given twice", [...entries, ...entries.slice(0, 1)], "is in model.safetensors and again in"],
  ])("names %s", (_, wrong, message) => {
    expect(() => build(wrong)).toThrow(EngineError);
    expect(() => build(wrong)).toThrow(message);
  });
  it("lists the first problems and counts the rest", () => {
    const few = entries.filter(({ name }) => name.includes(".experts."));
    expect(() => build(few)).toThrow(/and 50 more\.$/);
  });

  const mxfp4Names = new Set(Object.values(names.down));
  it("refuses both expert formats side by side", () => {
    const plain = tensorEntries([{ name: names.down.weight, dtype: "BF16", shape: [8, 96, 128] }]);
    expect(mxfp4Names.has(plain[0]?.name ?? "")).toBe(true);
    expect(() => build([...entries, ...plain])).toThrow(/both as MXFP4 .* and as bf16/);
  });
  it("refuses bf16 experts where config.json says mxfp4", () => {
    const bf16 = tensorEntries(expectedTensors({ ...config, expertFormat: "bf16" }).values());
    expect(() => build(bf16)).toThrow(/config\.json says the experts are MXFP4/);
  });
  it("takes MXFP4 from the names where config.json is silent", () => {
    const silent: ModelConfig = { ...config, expertFormat: "bf16" };
    expect(buildManifest({ config: silent, files: [], entries }).config.expertFormat).toBe("mxfp4");
  });

  it("refuses an index that does not match the headers", () => {
    const map = new Map(entries.map(({ name, file }) => [name, file]));
    const index = { files: ["model.safetensors"], fileOfTensor: map };
    expect(build(entries, index).tensors.size).toBe(entries.length);
    const moved = new Map(map).set("lm_head.weight", "b.safetensors");
    expect(() => build(entries, { ...index, fileOfTensor: moved })).toThrow(/puts it in b\.safetensors/);
    const unnamed = new Map(map);
    unnamed.delete("lm_head.weight");
    expect(() => build(entries, { ...index, fileOfTensor: unnamed })).toThrow(/does not name it/);
    const promised = new Map(map).set("ghost", "model.safetensors");
    expect(() => build(entries, { ...index, fileOfTensor: promised })).toThrow(/puts tensor ghost in/);
  });
});
