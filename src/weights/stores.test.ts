import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { EngineError } from "../errors.ts";
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

describe("createStores where one store fails", () => {
  /** A private file system as private windows have it, until it is allowed. */
  function refusing() {
    const state = { isRefused: true, numTries: 0 };
    const store = createOpfsStore(async () => {
      state.numTries += 1;
      if (state.isRefused) throw new DOMException("no", "SecurityError");
      return fake.root;
    });
    return { state, store };
  }

  it("does without it, and says so", async () => {
    const stores = createStores(indexeddb, refusing().store);
    await indexeddb.putModel(contractModel("a"));
    expect((await stores.list()).map(({ id }) => id)).toEqual(["a"]);
    expect((await stores.find("a"))?.store.kind).toBe("indexeddb");
    expect(await stores.find("b")).toBeUndefined();
    for (const wanted of [undefined, "indexeddb", "auto"] as const)
      expect((await stores.choose("b", wanted)).kind).toBe("indexeddb");
    const fault = { store: "opfs", message: expect.stringContaining("failed (no)") };
    expect(await stores.faults()).toEqual([fault]);
    await stores.remove("a");
    expect(await stores.list()).toEqual([]);
  });
  it("fails where it is asked for by name, or where what is to be deleted may lie in it", async () => {
    const stores = createStores(indexeddb, refusing().store);
    const failed = { code: "storage-failed" };
    await expect(stores.choose("b", "opfs")).rejects.toMatchObject(failed);
    await expect(stores.remove("b")).rejects.toMatchObject({
      ...failed,
      details: { store: "opfs", id: "b" },
    });
  });
  it("waits for it once, and takes it back when it answers again", async () => {
    const { state, store } = refusing();
    const stores = createStores(indexeddb, store);
    await opfs.putModel(contractModel("b"));
    await opfs.release("b");
    expect(await stores.list()).toEqual([]);
    state.isRefused = false;
    expect(await stores.list(), "asked in the background only").toEqual([]);
    await expect.poll(() => stores.faults()).toEqual([]);
    expect((await stores.list()).map(({ id }) => id)).toEqual(["b"]);
  });
  it("does without IndexedDB as well, but for what is to go there", async () => {
    const broken = { ...indexeddb };
    broken.getModel = broken.listModels = async () => {
      throw new EngineError("storage-failed", "blocked");
    };
    const stores = createStores(broken, opfs);
    await opfs.putModel(contractModel("b"));
    expect((await stores.list()).map(({ id }) => id)).toEqual(["b"]);
    expect((await stores.choose("c", "auto")).kind).toBe("opfs");
    await expect(stores.choose("c", undefined)).rejects.toMatchObject({ code: "storage-failed" });
  });
  it("fails where none answers, and asks all again the next time", async () => {
    const { state, store } = refusing();
    const stores = createStores(store, undefined);
    await expect(stores.list()).rejects.toMatchObject({ code: "storage-failed" });
    expect(await stores.faults()).toHaveLength(1);
    state.isRefused = false;
    expect(await stores.list()).toEqual([]);
  });
  it("passes on what is no fault of a store", async () => {
    const busy = { ...opfs, getModel: async () => Promise.reject(new EngineError("busy", "another tab")) };
    await expect(createStores(indexeddb, busy).find("m")).rejects.toMatchObject({ code: "busy" });
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
