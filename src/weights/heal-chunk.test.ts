import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it } from "vitest";
import { createFakeOpfs } from "../testing/fake-opfs.ts";
import { type MemoryRemote, memoryRemote } from "../testing/memory-remote.ts";
import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { repairModel } from "./repair-model.ts";
import { createCachedFiles } from "./stored-files.ts";
import { verifyModel } from "./verify-model.ts";

const file = "model.safetensors";
const chunkBytes = 50_000;
const lostAt = 3 * chunkBytes;
let numStores = 0;

describe.each([
  ["indexeddb", () => createIndexedDbStore(`heal-test-${numStores++}`)],
  [
    "opfs",
    () => {
      const { root } = createFakeOpfs();
      return createOpfsStore(async () => root);
    },
  ],
])("chunks lost with their digests in %s", (_, newStore) => {
  let store: ChunkStore;
  let remote: MemoryRemote;
  let model: StoredModel;
  let original: Uint8Array<ArrayBuffer>;

  beforeEach(async () => {
    store = newStore();
    remote = memoryRemote("tiny-mxfp4", ["config.json", file]);
    original = remote.files.get(file) ?? new Uint8Array();
    model = await downloadCheckpoint({ remote, store, chunkBytes });
  });

  /** Stores the file again without some of its chunks. */
  async function lose(...indexes: number[]): Promise<void> {
    const ref = (index: number) => ({ id: remote.id, file, index, startBytes: index * chunkBytes });
    const chunks = new Map(await store.listChunks(remote.id, file));
    for (const index of indexes) chunks.delete(index);
    const kept = await Promise.all(
      [...chunks].map(async ([index, digest]) => ({
        index,
        digest,
        bytes: (await store.getChunk(ref(index))).bytes ?? new Uint8Array(),
      })),
    );
    await store.deleteFile(remote.id, file);
    for (const { index, bytes, digest } of kept) await store.putChunk(ref(index), bytes, digest);
    remote.fetched.length = 0;
  }
  function changeServer(): void {
    const other = original.slice();
    other[lostAt + 5] = (other[lostAt + 5] ?? 0) ^ 1;
    remote.files.set(file, other);
  }
  const read = (of: StoredModel = model) =>
    createCachedFiles({ store, model: of, remote }).read(file, lostAt, lostAt + 10);
  const older = (): StoredModel => ({
    ...model,
    files: model.files.map(({ chunksSha256: _, ...rest }) => rest),
  });

  it("are fetched again and proved by the digest of digests, whatever the server's ETag", async () => {
    remote.sendsEtags = false;
    await lose(3, 5);
    expect(await read()).toEqual(original.slice(lostAt, lostAt + 10));
    expect(remote.fetched).toEqual([`${file} ${3 * chunkBytes}`, `${file} ${5 * chunkBytes}`]);
    expect(await verifyModel({ store, model })).toMatchObject({ ok: true });
  });
  it("are not replaced by other bytes", async () => {
    remote.sendsEtags = false;
    await lose(3);
    changeServer();
    await expect(read()).rejects.toMatchObject({ code: "checksum-mismatch", details: { file, chunk: 3 } });
    expect((await store.listChunks(remote.id, file)).has(3), "nothing wrong is stored").toBe(false);
  });
  it("are refused where an older version kept no digest of digests and no ETag vouches", async () => {
    await lose(3);
    remote.sendsEtags = false;
    await expect(read(older())).rejects.toThrow(/Repair the model/);
    remote.sendsEtags = true;
    expect(await read(older())).toEqual(original.slice(lostAt, lostAt + 10));
    await lose(3);
    changeServer();
    await expect(read(older())).rejects.toThrow(/not the one that was stored any more/);
  });
  it("are left to a repair where they are more than memory should hold", async () => {
    const huge: StoredModel = { ...model, chunkBytes: 40 * 1024 * 1024 };
    const files = model.files.map((one) => ({ ...one, sizeBytes: 2 * huge.chunkBytes }));
    await store.deleteFile(remote.id, file);
    const reading = createCachedFiles({ store, model: { ...huge, files }, remote }).read(file, 0, 10);
    await expect(reading).rejects.toMatchObject({ code: "checksum-mismatch", details: { numLost: 2 } });
  });
  it("are repaired where the file's SHA-256 is still the one it had", async () => {
    remote.sendsEtags = false;
    await lose(3, 5);
    const old = older();
    await store.putModel(old);
    expect(await repairModel({ store, model: old, remote })).toMatchObject({ ok: true });
    expect(remote.fetched).toHaveLength(2);
    await lose(3);
    changeServer();
    await store.putModel(old);
    await expect(repairModel({ store, model: old, remote })).rejects.toMatchObject({
      code: "checksum-mismatch",
    });
    expect((await store.getModel(remote.id))?.ready).toBe(false);
  });
  it("are not stored for a model that was deleted meanwhile", async () => {
    const files = createCachedFiles({ store, model, remote });
    await store.deleteModel(model.id);
    await expect(files.read(file, 0, 300_000)).rejects.toThrow(/was deleted/);
    expect((await store.listChunks(model.id, file)).size).toBe(0);
  });
});
