import { describe, expect, it } from "vitest";
import { readManifest } from "../weights/manifest.ts";
import { createSyntheticFiles, syntheticConfig } from "./synthetic-files.ts";

const config = { ...syntheticConfig("20b", 2), vocab_size: 2048, eos_token_id: 3, num_local_experts: 4 };

describe("createSyntheticFiles", () => {
  it("lies in three shards, named and indexed as the published ones are", async () => {
    const files = createSyntheticFiles(config, "test", { numShards: 3 });
    expect(files.names).toEqual([
      "config.json",
      "model.safetensors.index.json",
      "model-00000-of-00002.safetensors",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]);
    const manifest = await readManifest(files);
    expect(manifest.files.map(({ name }) => name)).toEqual(files.names.slice(2));
    expect(new Set([...manifest.tensors.values()].map(({ file }) => file)).size).toBe(3);
  });

  it("holds the same weights in one file and in shards, whichever way they are read", async () => {
    const one = createSyntheticFiles(config, "one");
    const three = createSyntheticFiles(config, "three", { numShards: 3 });
    const [a, b] = [await readManifest(one), await readManifest(three)];
    for (const [name, tensor] of a.tensors) {
      const other = b.tensors.get(name);
      if (other === undefined) throw new Error(`${name} is missing`);
      expect(other.endBytes - other.startBytes).toBe(tensor.endBytes - tensor.startBytes);
      // A stretch that begins inside the tensor, and one read into memory.
      const start = Math.min(1001, tensor.endBytes - tensor.startBytes);
      const end = Math.min(start + 5000, tensor.endBytes - tensor.startBytes);
      const expected = await one.read(tensor.file, tensor.startBytes + start, tensor.startBytes + end);
      const target = new Uint8Array(end - start);
      await three.readInto?.(other.file, other.startBytes + start, target);
      expect(Buffer.compare(target, expected)).toBe(0);
    }
  });

  it("differs from place to place: experts moved or swapped would show", async () => {
    const files = createSyntheticFiles(config, "test");
    const { tensors } = await readManifest(files);
    const blocks = tensors.get("model.layers.0.mlp.experts.gate_up_proj_blocks");
    if (blocks === undefined) throw new Error("no experts");
    const expert = (i: number) =>
      files.read(blocks.file, blocks.startBytes + i * 8_294_400, blocks.startBytes + i * 8_294_400 + 4096);
    const parts = await Promise.all([0, 1, 2, 3].map(expert));
    expect(new Set(parts.map((part) => part.join())).size).toBe(4);
  });
});
