import { afterAll, beforeAll, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { loraAdapter, mergedInAdvance } from "../testing/lora-adapter.ts";
import { filesInMemory } from "../testing/original-checkpoint.ts";
import { readReference, repositoryPath } from "../testing/reference.ts";
import { withLora } from "../weights/lora-files.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./types.ts";

const folder = repositoryPath("fixtures/tiny-sharded");

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
});
afterAll(() => engine.dispose());

it("an adapter merged while loading gives the logits of a checkpoint merged in advance", async () => {
  const tokens = readReference(folder)[0]?.tokens.slice(0, 24) ?? [];
  const logits = async (files: Parameters<Engine["load"]>[0]) => {
    await engine.load(files, { contextLength: 64 });
    return engine.logits(tokens, "prefill");
  };
  const base = createFolderFiles(folder);
  const recipe = { rank: 4, alpha: 8 };
  const merged = await logits(filesInMemory("merged", await mergedInAdvance(base, recipe, 2)));
  const adapted = await logits(await withLora(base, await loraAdapter(base, recipe)));
  expect(adapted).toEqual(merged);
  const unchanged = await logits(base);
  expect(unchanged.filter((value, i) => Math.abs(value - (merged[i] ?? 0)) > 0.01).length).toBeGreaterThan(
    1000,
  );
});
