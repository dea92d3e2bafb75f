import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createChunkStore, type StoredModel } from "./chunk-store.ts";
import { deleteModel, listModels } from "./models.ts";

let numDatabases = 0;
const newStore = () => createChunkStore(`chunk-store-test-${numDatabases++}`);
const bytes = (...values: number[]) => new Uint8Array(values);

function model(id: string): StoredModel {
  const files = [
    { name: "a.safetensors", sizeBytes: 10, etag: null },
    { name: "a.safetensors2", sizeBytes: 4, etag: '"x"' },
  ];
  return { version: 1, id, chunkBytes: 4, files, texts: ["config.json"], ready: false };
}

afterEach(() => vi.restoreAllMocks());

describe("createChunkStore", () => {
  it("gives back what was stored, also through a second connection", async () => {
    const name = `chunk-store-test-shared`;
    const store = createChunkStore(name);
    await store.putModel(model("m"));
    await store.putText("m", "config.json", "{}");
    const ref = { id: "m", file: "a.safetensors", index: 1 };
    await store.putChunk(ref, bytes(1, 2, 3, 4), "abc");
    const second = createChunkStore(name);
    expect(await second.getModel("m")).toEqual(model("m"));
    expect(await second.getText("m", "config.json")).toBe("{}");
    expect(await second.getChunk(ref)).toEqual({ bytes: bytes(1, 2, 3, 4), digest: "abc" });
  });
  it("stores only the view of a larger buffer", async () => {
    const store = newStore();
    const ref = { id: "m", file: "f", index: 0 };
    await store.putChunk(ref, bytes(0, 1, 2, 3).subarray(1, 3), "d");
    expect((await store.getChunk(ref)).bytes).toEqual(bytes(1, 2));
  });
  it("answers undefined for what is not there", async () => {
    const store = newStore();
    expect(await store.getModel("m")).toBeUndefined();
    expect(await store.getText("m", "config.json")).toBeUndefined();
    expect(await store.getChunk({ id: "m", file: "f", index: 0 })).toEqual({
      bytes: undefined,
      digest: undefined,
    });
    expect(await store.listChunks("m", "f")).toEqual([]);
    expect(await listModels(store)).toEqual([]);
  });
  it("keeps models and files apart whose names begin alike", async () => {
    const store = newStore();
    for (const id of ["m", "m2"]) {
      await store.putModel(model(id));
      for (const file of ["a.safetensors", "a.safetensors2"]) {
        for (const index of [10, 9, 0]) await store.putChunk({ id, file, index }, bytes(index), "d");
      }
    }
    expect(await store.listChunks("m", "a.safetensors")).toEqual([0, 9, 10]);
    await store.deleteFile("m", "a.safetensors");
    expect(await store.listChunks("m", "a.safetensors")).toEqual([]);
    expect((await store.getChunk({ id: "m", file: "a.safetensors", index: 9 })).bytes).toBeUndefined();
    expect(await store.listChunks("m", "a.safetensors2")).toEqual([0, 9, 10]);
    await deleteModel(store, "m");
    expect((await store.listModels()).map(({ id }) => id)).toEqual(["m2"]);
    expect(await store.listChunks("m", "a.safetensors2")).toEqual([]);
    expect(await store.listChunks("m2", "a.safetensors")).toEqual([0, 9, 10]);
  });
  it("sums up stored models", async () => {
    const store = newStore();
    await store.putModel(model("m"));
    await store.putChunk({ id: "m", file: "a.safetensors", index: 0 }, bytes(1, 2, 3, 4), "d");
    await store.putChunk({ id: "m", file: "a.safetensors", index: 2 }, bytes(1, 2), "d");
    expect(await listModels(store)).toEqual([{ id: "m", totalBytes: 14, storedBytes: 6, ready: false }]);
  });

  it("reports a full disk as storage-full", async () => {
    const store = newStore();
    await store.putModel(model("m"));
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("", "QuotaExceededError");
    });
    const write = store.putChunk({ id: "m", file: "f", index: 0 }, bytes(1), "d");
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
  it("says so where there is no IndexedDB", async () => {
    vi.stubGlobal("indexedDB", undefined);
    await expect(newStore().getModel("m")).rejects.toThrow(/IndexedDB is not available/);
    vi.unstubAllGlobals();
  });
});
