import { afterAll, beforeAll, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { filesInMemory, originalCheckpoint } from "../testing/original-checkpoint.ts";
import { readReference, repositoryPath } from "../testing/reference.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./types.ts";

const folder = repositoryPath("fixtures/tiny-sharded");

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
});
afterAll(() => engine.dispose());

it("a checkpoint rewritten into OpenAI's own layout gives identical logits", async () => {
  const tokens = readReference(folder)[0]?.tokens.slice(0, 24) ?? [];
  const logits = async (files: Parameters<Engine["load"]>[0]) => {
    await engine.load(files, { contextLength: 64 });
    return engine.logits(tokens, "prefill");
  };
  const files = createFolderFiles(folder);
  const expected = await logits(files);
  expect(expected.some((value) => Math.abs(value) > 0.1)).toBe(true);
  expect(await logits(filesInMemory("original", await originalCheckpoint(files)))).toEqual(expected);
});
