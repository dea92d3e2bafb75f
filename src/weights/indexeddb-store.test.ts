import "fake-indexeddb/auto";
import { createStore } from "idb-keyval";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fakeReadWorkers } from "../testing/fake-read-worker.ts";
import { contractModel as model, storeContract } from "../testing/store-contract.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";

let numDatabases = 0;
const newStore = () => createIndexedDbStore(`indexeddb-store-test-${numDatabases++}`);
const bytes = (...values: number[]) => new Uint8Array(values);
const ref = { id: "m", file: "f", index: 0, startBytes: 0 };

afterEach(() => vi.restoreAllMocks());

describe("createIndexedDbStore", () => {
  it.each(storeContract)("$name", async ({ run }) => {
    const name = `indexeddb-contract-${numDatabases++}`;
    await run(createIndexedDbStore(name), () => createIndexedDbStore(name));
  });
  it.each(storeContract)("$name, with reading workers", async ({ run }) => {
    const name = `indexeddb-contract-${numDatabases++}`;
    const readers = { openPort: fakeReadWorkers().open, numWorkers: 2, leastBytes: 0 };
    await run(createIndexedDbStore(name, { readers }), () => createIndexedDbStore(name, { readers }));
  });
  it("stores Blobs, and reads the ArrayBuffers of older versions", async () => {
    const name = `indexeddb-store-test-${numDatabases++}`;
    const raw = createStore(name, "chunks");
    const store = createIndexedDbStore(name);
    await store.putChunk(ref, bytes(1, 2, 3), "d");
    const value = await raw("readonly", async (chunks) => {
      const request = chunks.get(["chunk", "m", "f", 0]);
      return new Promise((resolve) => request.addEventListener("success", () => resolve(request.result)));
    });
    expect(value).toBeInstanceOf(Blob);
    await raw("readwrite", (chunks) => chunks.put(bytes(3, 2, 1).buffer, ["chunk", "m", "f", 0]));
    expect((await store.getChunk(ref)).bytes).toEqual(bytes(3, 2, 1));
    const target = bytes(0);
    expect(await store.readInto(ref, 1, target)).toBe(true);
    expect(target).toEqual(bytes(2));
  });
  it.each<[string, () => ReadableStream]>([
    ["breaks off", () => new ReadableStream({ start: (it) => it.error(new TypeError("network error")) })],
    ["ends early", () => new ReadableStream({ start: (it) => it.close() })],
  ])("takes a Blob whose file is gone for a lost chunk, where its stream %s", async (_, broken) => {
    const store = newStore();
    await store.putChunk(ref, bytes(1), "d");
    const lost = new DOMException("the file is gone", "NotReadableError");
    vi.spyOn(Blob.prototype, "stream").mockImplementation(broken as Blob["stream"]);
    expect(await store.getChunk(ref)).toEqual({ bytes: bytes(1), digest: "d" }); // read at once instead
    vi.spyOn(Blob.prototype, "arrayBuffer").mockRejectedValue(lost);
    expect(await store.getChunk(ref)).toEqual({ bytes: undefined, digest: "d" });
    expect(await store.readInto(ref, 0, bytes(0))).toBe(false);
  });

  it("reports a full disk as storage-full", async () => {
    const store = newStore();
    await store.putModel(model("m"));
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("", "QuotaExceededError");
    });
    const write = store.putChunk(ref, bytes(1), "d");
    await expect(write).rejects.toMatchObject({ code: "storage-full" });
    await expect(write).rejects.toThrow(/storing chunk 0 of f failed/);
  });
  it("reports other failures as storage-failed, and works again afterwards", async () => {
    const store = newStore();
    const open = vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("The user denied permission", "SecurityError");
    });
    await expect(store.getModel("m")).rejects.toMatchObject({
      code: "storage-failed",
      details: { name: "SecurityError" },
    });
    open.mockRestore();
    await store.putModel(model("m"));
    expect(await store.getModel("m")).toEqual(model("m"));
  });
  it("replaces a connection that was closed under it", async () => {
    const opened: IDBDatabase[] = [];
    const realOpen = indexedDB.open.bind(indexedDB);
    vi.spyOn(indexedDB, "open").mockImplementation((name, version) => {
      const request = realOpen(name, version);
      request.addEventListener("success", () => opened.push(request.result));
      return request;
    });
    const store = newStore();
    await store.putModel(model("m"));
    expect(opened).toHaveLength(1);
    opened[0]?.close();
    expect(await store.getModel("m")).toEqual(model("m"));
    expect(opened).toHaveLength(2);
  });
  it("gives way to a tab that deletes the database, and begins a new one", async () => {
    const name = `indexeddb-store-test-${numDatabases++}`;
    const store = createIndexedDbStore(name);
    await store.putModel(model("m"));
    const deleting = indexedDB.deleteDatabase(name);
    await new Promise((resolve, reject) => {
      deleting.onsuccess = resolve;
      deleting.onblocked = () => reject(new Error("blocked"));
    });
    expect(await store.getModel("m")).toBeUndefined();
    await store.putModel(model("m"));
    expect(await store.listModels()).toHaveLength(1);
  });
  it("does not wait for ever for a database that is being deleted under a tab that keeps it open", async () => {
    const name = `indexeddb-store-test-${numDatabases++}`;
    const keeping = indexedDB.open(name);
    await new Promise((resolve) => keeping.addEventListener("success", resolve));
    indexedDB.deleteDatabase(name);
    const store = createIndexedDbStore(name, { openWaitMs: 50 });
    const put = store.putModel(model("late"));
    await expect(put).rejects.toMatchObject({ code: "storage-failed", details: { name: "TimeoutError" } });
    await expect(put).rejects.toThrow(/did not open for 0\.05 s\)\. Close the other tabs/);
    keeping.result.close();
    await expect.poll(() => store.listModels().catch(() => "blocked")).toEqual([]);
    await store.putModel(model("m"));
    expect(await store.listModels(), "what was given up is not done later").toHaveLength(1);
  });
  it("says so where there is no IndexedDB", async () => {
    vi.stubGlobal("indexedDB", undefined);
    await expect(newStore().getModel("m")).rejects.toThrow(/IndexedDB is not available/);
    vi.unstubAllGlobals();
  });
});
