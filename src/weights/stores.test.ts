import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createFakeOpfs, type FakeOpfs } from "../testing/fake-opfs.ts";
import { contractModel } from "../testing/store-contract.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { fasterStore } from "./measure-stores.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { createStores } from "./stores.ts";

let numStores = 0;
let fake: FakeOpfs;
let indexeddb: ChunkStore;
let opfs: ChunkStore;

beforeEach(() => {
  fake = createFakeOpfs();
  indexeddb = createIndexedDbStore(`stores-test-${numStores++}`);
  opfs = createOpfsStore(async () => fake.root);
});

describe("createStores", () => {
  it("puts a new model where it is wanted, and leaves a stored one where it is, also in part", async () => {
    const stores = createStores(indexeddb, opfs);
    expect((await stores.choose("m", undefined)).kind).toBe("indexeddb");
    expect((await stores.choose("m", "opfs")).kind).toBe("opfs");
    await indexeddb.putModel(contractModel("m"));
    expect((await stores.choose("m", "opfs")).kind).toBe("indexeddb");
    expect((await stores.find("m"))?.store.kind).toBe("indexeddb");
    await opfs.putModel(contractModel("m", { ready: true }));
    expect((await stores.find("m"))?.store.kind, "the complete one").toBe("opfs");
  });
  it("lists and deletes in both", async () => {
    const stores = createStores(indexeddb, opfs);
    await indexeddb.putModel(contractModel("a", { source: { baseUrl: "x" } }));
    await opfs.putModel(contractModel("b"));
    const files = contractModel("a").files.map(({ name, sizeBytes }) => ({ name, sizeBytes }));
    const summary = { totalBytes: 14, storedBytes: 0, ready: false, files };
    expect(await stores.list()).toEqual([
      { ...summary, id: "a", store: "indexeddb", source: { baseUrl: "x" } },
      { ...summary, id: "b", store: "opfs" },
    ]);
    await stores.remove("b");
    expect((await stores.list()).map(({ id }) => id)).toEqual(["a"]);
  });
  it("does without a private file system, unless it is asked for", async () => {
    const stores = createStores(indexeddb, undefined);
    expect((await stores.choose("m", "auto")).kind).toBe("indexeddb");
    await expect(stores.choose("m", "opfs")).rejects.toMatchObject({ code: "storage-failed" });
    const wrong = "cache" as "opfs";
    await expect(createStores(indexeddb, opfs).choose("m", wrong)).rejects.toMatchObject({
      code: "request-invalid",
    });
  });
});

describe("fasterStore", () => {
  /** A clock that a store's work moves on. */
  function timed(msPerChunk: { indexeddb: number; opfs: number }) {
    let nowMs = 0;
    const slow = (store: ChunkStore): ChunkStore => ({
      ...store,
      putChunk: async (...args) => {
        nowMs += msPerChunk[store.kind];
        return store.putChunk(...args);
      },
    });
    return { now: () => nowMs, indexeddb: slow(indexeddb), opfs: slow(opfs) };
  }

  it.each([
    [{ indexeddb: 100, opfs: 10 }, "opfs"],
    [{ indexeddb: 10, opfs: 100 }, "indexeddb"],
    [{ indexeddb: 900, opfs: 20 }, "opfs"],
  ] as const)("of %o is %s, measured once, with nothing left behind", async (msPerChunk, kind) => {
    const { now, ...slow } = timed(msPerChunk);
    expect((await fasterStore(slow.indexeddb, slow.opfs, now)).kind).toBe(kind);
    const putChunk = vi.fn();
    expect((await fasterStore({ ...indexeddb, putChunk }, { ...opfs, putChunk })).kind).toBe(kind);
    expect(putChunk).not.toHaveBeenCalled();
    expect(fake.usedBytes()).toBe(0);
    expect(await createStores(indexeddb, opfs).list()).toEqual([]);
  });
  it("is IndexedDB, for this time, where measuring fails", async () => {
    fake.quotaBytes = 100;
    expect((await fasterStore(indexeddb, opfs)).kind).toBe("indexeddb");
    fake.quotaBytes = Number.POSITIVE_INFINITY;
    const { now, ...slow } = timed({ indexeddb: 100, opfs: 1 });
    expect((await fasterStore(slow.indexeddb, slow.opfs, now)).kind).toBe("opfs");
  });
});
