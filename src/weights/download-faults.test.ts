// What may go wrong with the storage while a checkpoint is downloaded, on both stores.
import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { seededRandom } from "../testing/data.ts";
import { createFakeOpfs } from "../testing/fake-opfs.ts";
import { memoryRemote, sha256Hex } from "../testing/memory-remote.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { type DownloadOptions, downloadCheckpoint } from "./download.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { createPause } from "./pause.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { ByteProgress } from "./types.ts";

const file = "model.safetensors";
const chunkBytes = 50_000;
const newRemote = (published = false) => memoryRemote("tiny-mxfp4", ["config.json", file], published);
const content = newRemote().files.get(file) ?? new Uint8Array();
const numChunks = Math.ceil(content.byteLength / chunkBytes);

let numStores = 0;
const newIndexedDb = () => createIndexedDbStore(`download-faults-${numStores++}`);

const download = (store: ChunkStore, options: Partial<DownloadOptions> = {}) =>
  downloadCheckpoint({ remote: newRemote(), store, chunkBytes, ...options });

async function expectWhole(store: ChunkStore): Promise<void> {
  const model = await store.getModel(newRemote().id);
  if (model === undefined) throw new Error("no model");
  expect(model).toMatchObject({ ready: true, files: [{ sha256: sha256Hex(content) }] });
  const bytes = await createCachedFiles({ store, model }).read(file, 0, content.byteLength);
  expect(Buffer.compare(bytes, content)).toBe(0);
}

const storedIndexes = async (store: ChunkStore) => [...(await store.listChunks(newRemote().id, file)).keys()];

afterEach(() => vi.restoreAllMocks());

const newOpfs = () => {
  const { root } = createFakeOpfs();
  return createOpfsStore(async () => root);
};

describe.each([
  ["indexeddb", newIndexedDb],
  ["opfs", newOpfs],
])("a download into %s", (_, newStore) => {
  it("is whole, with the SHA-256 of the file, though chunks end in any order", async () => {
    const random = seededRandom(1);
    const remote = newRemote();
    const { fetchRange } = remote;
    remote.fetchRange = async (...args) => {
      await new Promise((resolve) => setTimeout(resolve, random() * 8));
      return fetchRange(...args);
    };
    const store = newStore();
    await download(store, { remote, connections: 6 });
    await expectWhole(store);
    expect(remote.fetched).toHaveLength(numChunks);
  });

  it("hashes nothing twice when it goes on", async () => {
    const store = newStore();
    const remote = newRemote();
    const { fetchRange } = remote;
    remote.fetchRange = async (name, range, options) => {
      if (range.startBytes >= 8 * chunkBytes) throw new Error("the page closed");
      return fetchRange(name, range, options);
    };
    await expect(download(store, { remote, connections: 1 })).rejects.toThrow("the page closed");
    const getChunk = vi.fn(store.getChunk);
    await download({ ...store, getChunk });
    expect(getChunk, "no stored chunk was read").not.toHaveBeenCalled();
    await expectWhole(store);
  });

  it("compares the file with what its source publishes, and fetches it once more where it differs", async () => {
    const store = newStore();
    const remote = newRemote(true);
    const wrong = content.slice();
    wrong[1_000_00] = (wrong[1_000_00] ?? 0) ^ 1;
    remote.files.set(file, wrong);
    const first = download(store, { remote });
    await expect(first).rejects.toMatchObject({
      code: "checksum-mismatch",
      details: { file, got: sha256Hex(wrong), expected: sha256Hex(content) },
    });
    expect(remote.fetched).toHaveLength(2 * numChunks);
    expect(await storedIndexes(store), "wrong bytes are not kept").toEqual([]);
    expect((await store.getModel(remote.id))?.ready).toBe(false);
    remote.files.set(file, content);
    await download(store, { remote });
    await expectWhole(store);
  });

  it("refuses a file whose size is not what its source publishes, before fetching it", async () => {
    const remote = newRemote(true);
    remote.files.set(file, new Uint8Array([...content, 0]));
    await expect(download(newStore(), { remote })).rejects.toThrow(/lists \d+/);
    expect(remote.fetched).toEqual([]);
  });

  it("finds what was cleared while it ran, and fetches it again", async () => {
    const store = newStore();
    let puts = 0;
    const clearing: ChunkStore = {
      ...store,
      async putChunk(...args) {
        puts += 1;
        if (puts === 10) {
          await store.release(newRemote().id);
          await store.deleteModel(newRemote().id);
        }
        return store.putChunk(...args);
      },
    };
    await download(clearing, { connections: 1 });
    await expectWhole(store);
    expect(puts).toBe(numChunks + 9);
  });

  it("says so where the browser clears it again and again", async () => {
    const store = newStore();
    const clearing: ChunkStore = {
      ...store,
      async release(id) {
        await store.release(id);
        await store.deleteModel(id);
      },
    };
    await expect(download(clearing)).rejects.toThrow(/removed parts of the model/);
  });

  it("pauses, keeps everything, and goes on", async () => {
    const store = newStore();
    const pause = createPause();
    const remote = newRemote();
    const reports: ByteProgress[] = [];
    const onProgress = (report: ByteProgress) => {
      reports.push(report);
      if (report.loadedBytes >= 4 * chunkBytes && report.state === "running") pause.pause();
    };
    const downloading = download(store, { remote, connections: 2, pause, onProgress });
    await expect.poll(() => reports.at(-1)?.state).toBe("paused");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const atPause = remote.fetched.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(remote.fetched).toHaveLength(atPause);
    expect(atPause).toBeLessThan(numChunks);
    pause.watch((isPaused) => isPaused && pause.resume()); // every report would pause it anew
    pause.resume();
    await downloading;
    expect(remote.fetched).toHaveLength(numChunks);
    await expectWhole(store);
  });

  it("ends at an abort while it is paused", async () => {
    const pause = createPause();
    pause.pause();
    const abort = new AbortController();
    const onProgress = ({ state }: ByteProgress) => state === "paused" && abort.abort();
    const downloading = download(newStore(), { pause, signal: abort.signal, onProgress });
    await expect(downloading).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("a download that is killed", () => {
  it("goes on from every point it may be killed at, fetching what was in flight and no more", async () => {
    let numKills = 0;
    for (let changes = 1; ; changes += 2) {
      const fake = createFakeOpfs();
      const remote = newRemote();
      fake.dieAfter(changes);
      const killed = download(
        createOpfsStore(async () => fake.root),
        { remote, connections: 3 },
      );
      await killed.catch((error: unknown) => expect(error).toMatchObject({ code: "storage-failed" }));
      if (!fake.isDead()) break;
      numKills += 1;
      fake.restart();
      const after = createOpfsStore(async () => fake.root);
      const kept = (await storedIndexes(after)).length;
      expect(kept).toBeGreaterThanOrEqual(remote.fetched.length - 3);
      remote.fetched.length = 0;
      await download(after, { remote });
      expect(remote.fetched).toHaveLength(numChunks - kept);
      await expectWhole(after);
    }
    expect(numKills).toBeGreaterThanOrEqual(20);
  }, 20_000);
});

describe("a disk without room", () => {
  it.each([
    ["nothing", 0],
    ["one chunk", chunkBytes + 2000],
    ["half the model", content.byteLength / 2],
  ])(
    "for more than %s is storage-full, keeps what it has, and goes on when there is room",
    async (_, quotaBytes) => {
      const fake = createFakeOpfs();
      const store = createOpfsStore(async () => fake.root);
      fake.quotaBytes = quotaBytes;
      const other = {
        id: "other",
        storedBytes: 5e9,
        totalBytes: 9e9,
        ready: false,
        store: "opfs" as const,
        files: [],
      };
      const failing = download(store, { connections: 2, listStored: async () => [other] });
      await expect(failing).rejects.toMatchObject({
        code: "storage-full",
        details: { totalBytes: content.byteLength, otherModels: ["other"], otherModelBytes: [5e9] },
      });
      await expect(failing).rejects.toThrow(
        /still to be stored.*delete another stored model: other \(5\.0 GB\)/,
      );
      expect((await store.getModel(newRemote().id))?.ready ?? false).toBe(false);
      const kept = (await storedIndexes(store)).length;
      expect(kept * chunkBytes).toBeLessThanOrEqual(quotaBytes);
      if (quotaBytes > 3 * chunkBytes) expect(kept).toBeGreaterThan(1);
      fake.quotaBytes = Number.POSITIVE_INFINITY;
      const remote = newRemote();
      await download(store, { remote });
      expect(remote.fetched).toHaveLength(numChunks - kept);
      await expectWhole(store);
    },
  );
  it("frees room when a model is deleted", async () => {
    const fake = createFakeOpfs();
    const store = createOpfsStore(async () => fake.root);
    await download(store);
    fake.quotaBytes = fake.usedBytes() + chunkBytes / 2; // journals differ by some lines
    const second = { ...newRemote(), id: "second" };
    await expect(download(store, { remote: second })).rejects.toMatchObject({ code: "storage-full" });
    await store.deleteModel(newRemote().id);
    expect((await download(store, { remote: second })).ready).toBe(true);
  });
});
