import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createSyntheticFiles } from "../../src/bench/synthetic-files.ts";
import { createFolderFiles } from "../../src/desktop/folder-files.ts";
import { readManifest } from "../../src/weights/manifest.ts";
import { writeCheckpoint } from "./generate.ts";
import { proofShape } from "./shape.ts";

const scratch = mkdtempSync(join(tmpdir(), "gpt-oss-full-size-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it("writes the files that the virtual checkpoint has, once", async () => {
  const tiny = proofShape("tiny", 1);
  const shape = { ...tiny, config: { ...tiny.config, vocab_size: 512, eos_token_id: 2 } };
  const folder = join(scratch, "model");
  const written = await writeCheckpoint(folder, shape);
  const virtual = createSyntheticFiles(shape.config, "virtual", { numShards: 3 });
  expect(written.files.map(({ name }) => name)).toEqual([
    "model-00000-of-00002.safetensors",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
  ]);
  for (const { name, sizeBytes } of written.files)
    expect(Buffer.compare(readFileSync(join(folder, name)), await virtual.read(name, 0, sizeBytes))).toBe(0);
  expect((await readManifest(createFolderFiles(folder))).config.numLayers).toBe(1);
  expect(written.seconds).toBeGreaterThan(0);
  expect((await writeCheckpoint(folder, shape)).seconds).toBeUndefined();
});

it("has the published sizes", async () => {
  const size = async (/** @type {"20b" | "120b"} */ name, /** @type {number | undefined} */ layers) => {
    const shape = proofShape(name, layers);
    const files = createSyntheticFiles(shape.config, name, { numShards: shape.numShards });
    const manifest = await readManifest(files);
    return manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  };
  expect((await size("20b", undefined)) / 1e9).toBeCloseTo(13.76, 2);
  expect((await size("120b", undefined)) / 1e9).toBeCloseTo(65.25, 2);
  expect((await size("120b", 6)) / 1e9).toBeLessThan(14);
});
