import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loraAdapter, mergedInAdvance } from "../testing/lora-adapter.ts";
import { filesInMemory } from "../testing/original-checkpoint.ts";
import { repositoryPath } from "../testing/reference.ts";
import { createFolderFiles } from "./folder-files.ts";
import { modelFiles } from "./open-model.ts";
import { parseOptions } from "./options.ts";

const model = repositoryPath("fixtures/tiny-mxfp4");
const scratch = mkdtempSync(join(tmpdir(), "gpt-oss-webgpu-open-model-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const base = createFolderFiles(model);
const recipe = { rank: 2, alpha: 4 };
beforeAll(async () => {
  const adapter = await loraAdapter(base, recipe);
  const weights = "adapter_model.safetensors";
  writeFileSync(join(scratch, weights), await adapter.read(weights, 0, await adapter.sizeBytes(weights)));
  writeFileSync(join(scratch, "adapter_config.json"), (await adapter.readText("adapter_config.json")) ?? "");
  writeFileSync(join(scratch, "tokenizer.json"), '{"of": "another folder"}');
});

const open = (...args: string[]) => modelFiles(parseOptions(["--model", model, ...args], {}));
const weights = "model.safetensors";

it("--lora merges the adapter of a folder", async () => {
  const { files } = await open("--lora", scratch);
  const merged = filesInMemory("merged", await mergedInAdvance(base, recipe, 2));
  const size = await base.sizeBytes(weights);
  const got = await files.read(weights, 0, size);
  expect(Buffer.compare(got, await merged.read(weights, 0, size))).toBe(0);
  expect(Buffer.compare(got, await base.read(weights, 0, size))).not.toBe(0);
});

it("--tokenizer takes the files about text from another folder, and only those that are lacking", async () => {
  const { files, config } = await open("--tokenizer", scratch);
  expect(config.numLayers).toBe(4);
  expect(await files.readText("tokenizer.json")).toBe('{"of": "another folder"}');
  expect(await files.readText("adapter_config.json")).toBeUndefined();
});
