import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readManifest } from "../weights/manifest.ts";
import { createFolderFiles } from "./folder-files.ts";

const scratch = mkdtempSync(join(tmpdir(), "folder-files-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("createFolderFiles", () => {
  it.each([
    "fixtures/tiny-mxfp4",
    "fixtures/tiny-sharded",
    "fixtures/tiny-bf16-experts",
    "models/gpt-oss-nano",
  ])("reads %s", async (folder) => {
    const files = createFolderFiles(folder);
    expect(files.id).toBe(resolve(folder));
    const manifest = await readManifest(files);
    expect(manifest.tensors.has("lm_head.weight")).toBe(true);
    for (const { name, sizeBytes } of manifest.files) {
      expect(sizeBytes).toBe(readFileSync(join(folder, name)).byteLength);
    }
  });
  it("lists the shards in the order of the index and checks it against the headers", async () => {
    const manifest = await readManifest(createFolderFiles("fixtures/tiny-sharded"));
    expect(manifest.files.map(({ name }) => name)).toEqual(
      [0, 1, 2].map((n) => `model-0000${n}-of-00002.safetensors`),
    );
    expect(manifest.tensors.get("model.layers.0.self_attn.sinks")?.file).toBe(
      "model-00001-of-00002.safetensors",
    );
  });
  it("reads exactly the bytes asked for", async () => {
    const name = "model.safetensors";
    const whole = readFileSync(`fixtures/tiny-mxfp4/${name}`);
    const files = createFolderFiles("fixtures/tiny-mxfp4");
    const bytes = await files.read(name, 12_345, 800_000);
    expect(bytes).toHaveLength(800_000 - 12_345);
    expect(Buffer.compare(bytes, whole.subarray(12_345, 800_000))).toBe(0);
    expect(await files.read(name, 7, 7)).toHaveLength(0);
  });
  it("reads into the caller's memory, several ranges at once", async () => {
    const folder = mkdtempSync(join(scratch, "large-"));
    const whole = new Uint8Array(5 * 1024 * 1024 + 77).map((_, i) => (i * 31 + (i >> 12)) & 255);
    writeFileSync(join(folder, "config.json"), "{}");
    writeFileSync(join(folder, "weights"), whole);
    const files = createFolderFiles(folder);
    const ranges = [0, 12_345, 1024 * 1024 - 1, 2_222_222].map((startBytes) => ({
      startBytes,
      target: new Uint8Array(3_000_001),
    }));
    await Promise.all(
      ranges.map(({ startBytes, target }) => files.readInto?.("weights", startBytes, target)),
    );
    for (const { startBytes, target } of ranges)
      expect(Buffer.compare(target, whole.subarray(startBytes, startBytes + 3_000_001))).toBe(0);
    await expect(files.readInto?.("weights", 3 * 1024 * 1024, new Uint8Array(whole.length))).rejects.toThrow(
      `weights ends at byte ${whole.length}, expected ${3 * 1024 * 1024 + whole.length} at least`,
    );
  });
  it("answers undefined for a text that is not there", async () => {
    expect(await createFolderFiles("fixtures/tiny-mxfp4").readText("tokenizer.json")).toBeUndefined();
  });
  it.each([
    [
      "a path that does not exist",
      "nowhere",
      /nowhere does not exist; expected the folder of a gpt-oss checkpoint/,
    ],
    ["a file", "package.json", /package\.json is not a folder/],
    ["a folder without config.json", "src", /src has no config\.json/],
  ])("refuses %s with one sentence", (_, path, message) => {
    expect(() => createFolderFiles(path)).toThrow(message);
  });

  function copyOf(folder: string): string {
    const copy = join(scratch, `copy-${Math.random()}`);
    mkdirSync(copy);
    for (const name of ["config.json", "model.safetensors"])
      copyFileSync(join(folder, name), join(copy, name));
    return copy;
  }
  it("names a weight file that is missing or cut short", async () => {
    const copy = copyOf("fixtures/tiny-bf16-experts");
    truncateSync(join(copy, "model.safetensors"), 400_000);
    const files = createFolderFiles(copy);
    await expect(readManifest(files)).rejects.toThrow(
      /end at byte 436328, but the file has 400000 bytes; it was cut/,
    );
    await expect(files.read("model.safetensors", 0, 400_001)).rejects.toThrow(
      /ends at byte 400000, expected 400001/,
    );
    await expect(files.readInto?.("model.safetensors", 1, new Uint8Array(400_000))).rejects.toThrow(
      /ends at byte 400000, expected 400001/,
    );
    rmSync(join(copy, "model.safetensors"));
    await expect(readManifest(files)).rejects.toThrow(/model\.safetensors does not exist/);
  });
  it("says in a sentence that a weight file cannot be read", async () => {
    const copy = copyOf("fixtures/tiny-bf16-experts");
    rmSync(join(copy, "model.safetensors"));
    mkdirSync(join(copy, "model.safetensors"));
    const reading = createFolderFiles(copy).read("model.safetensors", 0, 10);
    await expect(reading).rejects.toMatchObject({ code: "checkpoint-invalid" });
    await expect(reading).rejects.toThrow(/model\.safetensors cannot be read \(EISDIR/);
  });
  it("refuses text that is not UTF-8, and names outside the folder", async () => {
    const copy = copyOf("fixtures/tiny-bf16-experts");
    writeFileSync(join(copy, "config.json"), new Uint8Array([0x7b, 0xff]));
    const files = createFolderFiles(copy);
    await expect(files.readText("config.json")).rejects.toThrow(/config\.json is not UTF-8/);
    await expect(files.read("../x", 0, 1)).rejects.toMatchObject({ code: "request-invalid" });
    const reading = files.readInto?.("../x", 0, new Uint8Array(1));
    await expect(reading).rejects.toMatchObject({ code: "request-invalid" });
  });
  it("stops when aborted", async () => {
    const files = createFolderFiles("fixtures/tiny-mxfp4");
    await expect(files.read("model.safetensors", 0, 10, AbortSignal.abort())).rejects.toMatchObject({
      code: "aborted",
    });
    const abort = new AbortController();
    const reading = files.readInto?.("model.safetensors", 0, new Uint8Array(800_000), abort.signal);
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("original/", () => {
  const top = join(scratch, "both");
  const original = join(top, "original");
  mkdirSync(original, { recursive: true });
  writeFileSync(join(original, "config.json"), "{}");

  it("is named where the folder above it was given", () => {
    expect(() => createFolderFiles(top)).toThrow(
      /has no config.json, but original\/config.json: give that folder/,
    );
  });
  it("takes its tokenizer from the folder above", async () => {
    expect(await createFolderFiles(original).readText("tokenizer.json")).toBeUndefined();
    writeFileSync(join(top, "tokenizer.json"), '{"a":1}');
    const files = createFolderFiles(original);
    expect(await files.readText("tokenizer.json")).toBe('{"a":1}');
    expect(await files.readText("model.safetensors.index.json")).toBeUndefined();
  });
});
