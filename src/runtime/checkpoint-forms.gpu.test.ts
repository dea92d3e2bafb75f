// Forms in which one model can be stored must give the same logits, bit for bit.
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { loraAdapter, mergedInAdvance } from "../testing/lora-adapter.ts";
import { filesInMemory, originalCheckpoint } from "../testing/original-checkpoint.ts";
import { readReference, repositoryPath } from "../testing/reference.ts";
import { withLora } from "../weights/lora-files.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./types.ts";

const folder = repositoryPath("fixtures/tiny-sharded");
const base = createFolderFiles(folder);
const tokens = readReference(folder)[0]?.tokens.slice(0, 24) ?? [];

let engine: Engine;
let expected: Float32Array;
beforeAll(async () => {
  engine = await createEngine(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
  expected = await logits(base);
});
afterAll(() => engine.dispose());

async function logits(files: CheckpointFiles): Promise<Float32Array> {
  await engine.load(files, { contextLength: 64 });
  return engine.logits(tokens, "prefill");
}

it("OpenAI's own layout gives the logits of Hugging Face's", async () => {
  expect(expected.some((value) => Math.abs(value) > 0.1)).toBe(true);
  expect(await logits(filesInMemory("original", await originalCheckpoint(base)))).toEqual(expected);
});

it("an adapter merged while loading gives the logits of a checkpoint merged in advance", async () => {
  const recipe = { rank: 4, alpha: 8 };
  const merged = await logits(filesInMemory("merged", await mergedInAdvance(base, recipe, 2)));
  expect(await logits(await withLora(base, await loraAdapter(base, recipe)))).toEqual(merged);
  const changed = merged.filter((value, i) => Math.abs(value - (expected[i] ?? 0)) > 0.01);
  expect(changed.length).toBeGreaterThan(merged.length / 2);
});
