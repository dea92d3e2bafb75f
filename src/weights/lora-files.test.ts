import { beforeAll, describe, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { seededRandom } from "../testing/data.ts";
import { type AdapterRecipe, loraAdapter, mergedInAdvance } from "../testing/lora-adapter.ts";
import { filesInMemory, originalCheckpoint } from "../testing/original-checkpoint.ts";
import { repositoryPath } from "../testing/reference.ts";
import { withLora } from "./lora-files.ts";
import { readManifest } from "./manifest.ts";
import type { CheckpointFiles } from "./types.ts";

const base = createFolderFiles(repositoryPath("fixtures/tiny-sharded"));
const recipe: AdapterRecipe = { rank: 6, alpha: 12 };
let merged: CheckpointFiles;
beforeAll(async () => {
  merged = filesInMemory("merged", await mergedInAdvance(base, recipe, 2));
});

async function expectEqual(got: CheckpointFiles, expected: CheckpointFiles): Promise<void> {
  const manifest = await readManifest(expected);
  for (const { name, sizeBytes } of manifest.files) {
    const [bytes, same] = [await got.read(name, 0, sizeBytes), await expected.read(name, 0, sizeBytes)];
    expect(Buffer.compare(bytes, same), name).toBe(0);
  }
}

const failure = async (changes: Partial<AdapterRecipe>): Promise<Error & { code?: string }> =>
  withLora(base, await loraAdapter(base, { ...recipe, ...changes })).then(
    () => {
      throw new Error("it was accepted");
    },
    (error: Error) => error,
  );

describe("withLora", () => {
  it("changes the base checkpoint at all", async () => {
    const { tensors } = await readManifest(base);
    const {
      file = "",
      startBytes = 0,
      endBytes = 0,
    } = tensors.get("model.layers.1.self_attn.o_proj.weight") ?? {};
    const [before, after] = [
      await base.read(file, startBytes, endBytes),
      await merged.read(file, startBytes, endBytes),
    ];
    const changed = before.filter((byte, i) => byte !== after[i]).length;
    expect(changed).toBeGreaterThan(before.byteLength / 4);
  });

  it.each(["F32", "BF16", "F16"] as const)(
    "equals a checkpoint merged in advance, bit for bit (%s)",
    async (dtype) => {
      await expectEqual(await withLora(base, await loraAdapter(base, { ...recipe, dtype })), merged);
    },
  );

  it("gives the same bytes whatever ranges are asked for", async () => {
    const lora = await withLora(base, await loraAdapter(base, recipe));
    const random = seededRandom(7);
    for (const { name, sizeBytes } of (await readManifest(base)).files) {
      for (let i = 0; i < 40; i += 1) {
        const startBytes = Math.floor(random() * sizeBytes);
        const endBytes = Math.min(sizeBytes, startBytes + Math.floor(random() * (i % 2 === 0 ? 9 : 200_000)));
        const [bytes, same] = [
          await lora.read(name, startBytes, endBytes),
          await merged.read(name, startBytes, endBytes),
        ];
        expect(Buffer.compare(bytes, same), `${name} [${startBytes}, ${endBytes})`).toBe(0);
      }
    }
  });

  it("merges what is read into the caller's memory too", async () => {
    const inPlace: CheckpointFiles = {
      ...base,
      readInto: async (name, startBytes, target) =>
        target.set(await base.read(name, startBytes, startBytes + target.byteLength)),
    };
    const lora = await withLora(inPlace, await loraAdapter(base, recipe));
    for (const { name, sizeBytes } of (await readManifest(base)).files) {
      const target = new Uint8Array(sizeBytes);
      await lora.readInto?.(name, 0, target);
      expect(Buffer.compare(target, await merged.read(name, 0, sizeBytes)), name).toBe(0);
    }
    const { readInto: _, ...without } = base;
    expect((await withLora(without, await loraAdapter(base, recipe))).readInto).toBeUndefined();
  });

  it("reads nothing but the range, and cuts no number in two", async () => {
    const seen: [number, number][] = [];
    const watched: CheckpointFiles = {
      ...base,
      read: (name, startBytes, endBytes, signal) => {
        seen.push([startBytes, endBytes]);
        return base.read(name, startBytes, endBytes, signal);
      },
    };
    const manifest = await readManifest(base);
    const lora = await withLora(watched, await loraAdapter(base, recipe), { manifest });
    const weight = manifest.tensors.get("model.layers.0.self_attn.q_proj.weight");
    if (weight === undefined) throw new Error("no weight");
    await lora.read(weight.file, weight.startBytes + 3, weight.startBytes + 7);
    expect(seen).toEqual([[weight.startBytes + 2, weight.startBytes + 8]]);
  });

  it("changes only the modules that the adapter has", async () => {
    const some = {
      ...recipe,
      modules: ["model.layers.2.self_attn.v_proj", "model.layers.0.self_attn.o_proj"],
    };
    const config = { target_modules: ["v_proj", "self_attn.o_proj"] };
    const lora = await withLora(base, await loraAdapter(base, { ...some, config }));
    await expectEqual(lora, filesInMemory("merged", await mergedInAdvance(base, some, 2)));
  });

  it("divides by the root of the rank with use_rslora", async () => {
    const config = { use_rslora: true, target_modules: "all-linear" };
    const lora = await withLora(base, await loraAdapter(base, { ...recipe, config }));
    await expectEqual(lora, filesInMemory("merged", await mergedInAdvance(base, recipe, 12 / Math.sqrt(6))));
  });

  it("takes rank and alpha of some modules from the patterns", async () => {
    const modules = ["model.layers.1.self_attn.q_proj"];
    const config = {
      r: 99,
      rank_pattern: { q_proj: 6 },
      alpha_pattern: { "layers.1.self_attn.q_proj": 3, q_proj: 50 },
    };
    const lora = await withLora(base, await loraAdapter(base, { ...recipe, modules, config }));
    await expectEqual(
      lora,
      filesInMemory("merged", await mergedInAdvance(base, { ...recipe, modules }, 0.5)),
    );
  });

  it("merges into OpenAI's own layout, inside the fused qkv", async () => {
    const original = filesInMemory("original", await originalCheckpoint(base));
    const expected = filesInMemory("original", await originalCheckpoint(merged));
    await expectEqual(await withLora(original, await loraAdapter(base, recipe)), expected);
  });

  it("names base and adapter", async () => {
    expect((await withLora(base, await loraAdapter(base, recipe))).id).toBe(`${base.id} + adapter`);
  });
});

const pair = (module: string, rank: number, out: number, inputs: number) =>
  ({
    [`base_model.model.${module}.lora_A.weight`]: {
      shape: [rank, inputs],
      values: new Array(rank * inputs).fill(0.5),
    },
    [`base_model.model.${module}.lora_B.weight`]: {
      shape: [out, rank],
      values: new Array(out * rank).fill(0.5),
    },
  }) as const;
const q0 = "base_model.model.model.layers.0.self_attn.q_proj";

describe("an adapter that cannot be merged", () => {
  it.each([
    ["DoRA", { config: { use_dora: true } }, /use_dora must be false \(DoRA/],
    ["another kind", { config: { peft_type: "IA3" } }, /peft_type must be "LORA"/],
    ["trained biases", { config: { bias: "all" } }, /bias must be "none"/],
    [
      "whole modules",
      { config: { modules_to_save: ["lm_head"] } },
      /modules_to_save must be absent or empty.*lm_head/,
    ],
    [
      "expert parameters",
      { config: { target_parameters: ["mlp.experts.down_proj"] } },
      /target_parameters.*MXFP4/,
    ],
    [
      "a target that is not attention",
      { config: { target_modules: ["q_proj", "router"] } },
      /target_modules.*"router"/,
    ],
    ["no targets", { config: { target_modules: [] } }, /target_modules/],
    ["PiSSA, which changes the base", { config: { init_lora_weights: "pissa" } }, /init_lora_weights/],
    [
      "a pattern as a key",
      { config: { rank_pattern: { "layers\\.(1|2).*": 6 } } },
      /only module names or their ends/,
    ],
    ["a rank that is none", { config: { rank_pattern: { q_proj: 1.5 } } }, /rank_pattern.q_proj must be/],
    ["rank 0", { config: { r: 0 } }, /r must be a whole number from 1/],
    [
      "another rank than the config's",
      { config: { r: 5 } },
      /lora_A.weight is \[6, 192\], expected \[5, 192\]/,
    ],
    [
      "experts' factors",
      { tensors: pair("model.layers.0.mlp.experts", 6, 8, 8) },
      /experts.lora_A.weight.*MXFP4/,
    ],
    [
      "the router's",
      { tensors: pair("model.layers.0.mlp.router", 6, 8, 8) },
      /router.lora_A.weight.*only LoRA factors/,
    ],
    [
      "a layer too many",
      { tensors: pair("model.layers.9.self_attn.q_proj", 6, 8, 8) },
      /layers.9.*has 3 layers/,
    ],
    ["a missing half", { tensors: { [`${q0}.lora_B.weight`]: undefined } }, /no lora_B of model.layers.0/],
    ["no tensors", { modules: [] }, /has no tensors/],
    [
      "a magnitude vector",
      { tensors: { [`${q0}.lora_magnitude_vector`]: { shape: [1, 2], values: [1, 2] } } },
      /DoRA/,
    ],
    [
      "a half twice",
      { tensors: { [`${q0}.lora_A.default.weight`]: { shape: [1, 2], values: [1, 2] } } },
      /lora_A.*twice/,
    ],
  ] as [string, Partial<AdapterRecipe>, RegExp][])("is refused: %s", async (_, changes, message) => {
    const error = await failure(changes);
    expect(error).toMatchObject({ code: "checkpoint-invalid" });
    expect(error.message).toMatch(message);
  });

  it("is refused where the factors have other widths than the weight", async () => {
    const wide = pair("model.layers.0.self_attn.q_proj", 6, 10, 192);
    expect((await failure({ tensors: wide })).message).toMatch(
      /lora_B.weight is \[10, 6\].*adapter of another model/,
    );
  });

  it("fails at the read where a factor is not finite", async () => {
    const values = new Array(6 * 192).fill(Number.NaN);
    const tensors = { [`${q0}.lora_A.weight`]: { shape: [6, 192], values } } as const;
    const lora = await withLora(base, await loraAdapter(base, { ...recipe, tensors }));
    const { tensors: weights } = await readManifest(base);
    const { file = "", startBytes = 0 } = weights.get("model.layers.0.self_attn.q_proj.weight") ?? {};
    await expect(lora.read(file, startBytes, startBytes + 10)).rejects.toThrow(/not finite numbers/);
  });

  it("is refused where adapter_config.json is missing", async () => {
    await expect(withLora(base, filesInMemory("empty", new Map()))).rejects.toThrow(
      /empty has no adapter_config.json/,
    );
  });
});
