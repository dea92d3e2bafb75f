import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createFakeOpfs } from "../testing/fake-opfs.ts";
import { memoryRemote } from "../testing/memory-remote.ts";
import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { openModelFiles } from "./open-checkpoint.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { VerifyMode } from "./verify-mode.ts";

const file = "model.safetensors";
const chunkBytes = 50_000;
const remote = memoryRemote("tiny-mxfp4", ["config.json", file]);
const content = remote.files.get(file) ?? new Uint8Array();
const numChunks = Math.ceil(content.byteLength / chunkBytes);
let numStores = 0;

describe.each([
  ["indexeddb", () => createIndexedDbStore(`verify-mode-${numStores++}`)],
  [
    "opfs",
    () => {
      const { root } = createFakeOpfs();
      return createOpfsStore(async () => root);
    },
  ],
])("reads from %s", (_kind, newStore) => {
  let store: ChunkStore;
  let model: StoredModel;

  beforeEach(async () => {
    store = newStore();
    model = await downloadCheckpoint({ remote, store, chunkBytes });
    remote.fetched.length = 0;
  });

  const ref = (index: number) => ({ id: remote.id, file, index, startBytes: index * chunkBytes });
  async function corruptAll(): Promise<void> {
    for (let index = 0; index < numChunks; index += 1) {
      const { bytes, digest } = await store.getChunk(ref(index));
      if (bytes === undefined || digest === undefined) throw new Error("no such chunk");
      bytes[9] = (bytes[9] ?? 0) ^ 1;
      await store.putChunk(ref(index), bytes, digest);
    }
  }
  async function readAll(verify: VerifyMode): Promise<Uint8Array> {
    const files = createCachedFiles({ store, model, remote, verify });
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < content.byteLength; at += 70_000)
      pieces.push(await files.read(file, at, Math.min(content.byteLength, at + 70_000)));
    return Buffer.concat(pieces);
  }

  it.each<[VerifyMode, number, number]>([
    ["full", numChunks, numChunks],
    ["sampled", 4, 6], // the first, and every 8th of 33 chunks
    ["none", 0, 0],
  ])("check %s of the chunks: at least %i, at most %i", async (verify, least, most) => {
    expect(Buffer.compare(await readAll(verify), content)).toBe(0);
    await corruptAll();
    await readAll(verify);
    expect(remote.fetched.length).toBeGreaterThanOrEqual(least);
    expect(remote.fetched.length).toBeLessThanOrEqual(most);
  });
  it.each<VerifyMode>(["sampled", "none"])(
    "find a lost chunk, though only %s are checked",
    async (verify) => {
      await store.deleteFile(remote.id, file);
      const files = createCachedFiles({ store, model, remote, verify });
      expect(Buffer.compare(await files.read(file, 60_000, 170_000), content.subarray(60_000, 170_000))).toBe(
        0,
      );
      expect(remote.fetched).toEqual(
        expect.arrayContaining([`${file} 50000`, `${file} 100000`, `${file} 150000`]),
      );
    },
  );
  it("fill the caller's memory, several calls at once, in any order", async () => {
    const files = createCachedFiles({ store, model, verify: "sampled" });
    const target = new Uint8Array(content.byteLength);
    const starts = Array.from(
      { length: Math.ceil(content.byteLength / 33_333) },
      (_, i) => i * 33_333,
    ).reverse();
    await Promise.all(starts.map((at) => files.readInto?.(file, at, target.subarray(at, at + 33_333))));
    expect(Buffer.compare(target, content)).toBe(0);
    await files.close?.();
    expect(await files.read(file, 0, 4)).toEqual(content.slice(0, 4));
  });
  it("are checked in full until every byte was read back once", async () => {
    const open = async () => {
      const record = await store.getModel(remote.id);
      if (record === undefined) throw new Error("no model");
      return openModelFiles({ store, model: record, remote, verify: "sampled" });
    };
    await corruptAll();
    await (await open()).read(file, 0, content.byteLength);
    expect(remote.fetched).toHaveLength(numChunks);
    await expect.poll(async () => (await store.getModel(remote.id))?.checked).toBe(true);
    await corruptAll();
    await (await open()).read(file, 0, content.byteLength);
    expect(remote.fetched.length).toBeLessThan(2 * numChunks);
  });
  it.each([
    ["in full", 0, numChunks, numChunks],
    ["sampled", 3e9, 4, 6],
  ])("are %s by default, with %d bytes more", async (_name, sizeBytes, least, most) => {
    await createCachedFiles({ store, model, verify: "full" }).read(file, 0, content.byteLength);
    await corruptAll();
    const files = [...model.files, { name: "other", sizeBytes, etag: null }];
    const record: StoredModel = { ...model, files, checked: true };
    const opened = openModelFiles({ store, model: record, remote, verify: undefined });
    await opened.read(file, 0, content.byteLength);
    expect(remote.fetched.length).toBeGreaterThanOrEqual(least);
    expect(remote.fetched.length).toBeLessThanOrEqual(most);
  });
  it.each<[VerifyMode, number]>([
    ["none", 10],
    ["full", 0], // whole chunks are checked where they lie
  ])(
    "go straight into the caller's memory, checked %s, without holding chunks",
    async (verify, startBytes) => {
      const getChunk = vi.fn(store.getChunk);
      const files = createCachedFiles({ store: { ...store, getChunk }, model, verify });
      const target = new Uint8Array(content.byteLength - startBytes);
      await files.readInto?.(file, startBytes, target);
      expect(Buffer.compare(target, content.subarray(startBytes))).toBe(0);
      expect(getChunk).not.toHaveBeenCalled();
    },
  );
});
