import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { createFakeOpfs } from "../testing/fake-opfs.ts";
import { type HubServer, startHubServer } from "../testing/hub-server.ts";
import { type MemoryRemote, memoryRemote, sha256Hex } from "../testing/memory-remote.ts";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { openSource } from "./open-source.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { repairModel } from "./repair-model.ts";
import type { ModelSource } from "./source-types.ts";
import { createCachedFiles } from "./stored-files.ts";
import { verifyModel } from "./verify-model.ts";

const names = ["config.json", "model.safetensors"];
const tokenizer = '{"model": {}}';
const otherTokenizer = '{"model": {"other": 1}}';
const chunkBytes = 100_000;
const encode = (text: string) => new TextEncoder().encode(text);
let numStores = 0;
const newIndexedDb = () => createIndexedDbStore(`texts-test-${numStores++}`);

describe.each([
  ["indexeddb", newIndexedDb],
  [
    "opfs",
    () => {
      const { root } = createFakeOpfs();
      return createOpfsStore(async () => root);
    },
  ],
])("a model's small files in %s", (_, newStore) => {
  let store: ChunkStore;
  let remote: MemoryRemote;
  let model: StoredModel;
  beforeEach(async () => {
    store = newStore();
    remote = memoryRemote("tiny-mxfp4", names);
    remote.files.set("tokenizer.json", encode(tokenizer));
    model = await downloadCheckpoint({ remote, store, chunkBytes });
  });
  const damage = (name = "tokenizer.json") => store.putText(model.id, name, '{"damaged": true}');
  const read = (from?: MemoryRemote) =>
    createCachedFiles({ store, model, remote: from }).readText("tokenizer.json");

  it("have their SHA-256 in its record", () => {
    expect(model.textsSha256).toEqual({
      "config.json": sha256Hex(remote.files.get("config.json") ?? new Uint8Array()),
      "tokenizer.json": sha256Hex(encode(tokenizer)),
    });
  });
  it("are found damaged by a verify, and repaired", async () => {
    await damage();
    await damage("config.json");
    expect(await verifyModel({ store, model })).toMatchObject({
      ok: false,
      badTexts: ["config.json", "tokenizer.json"],
    });
    expect(await repairModel({ store, model, remote })).toMatchObject({ ok: true, badTexts: [] });
    expect(await store.getText(model.id, "tokenizer.json")).toBe(tokenizer);
  });
  it("heal themselves when they are read", async () => {
    await damage();
    await expect(read()).rejects.toMatchObject({
      code: "checksum-mismatch",
      details: { file: "tokenizer.json" },
    });
    expect(await read(remote)).toBe(tokenizer);
    expect(await store.getText(model.id, "tokenizer.json")).toBe(tokenizer);
  });
  it("are not replaced by others that the source has now", async () => {
    await damage();
    remote.files.set("tokenizer.json", encode(otherTokenizer));
    await expect(read(remote)).rejects.toThrow(/not the one that was stored any more/);
    await expect(repairModel({ store, model, remote })).rejects.toMatchObject({ code: "checksum-mismatch" });
    expect(await store.getText(model.id, "tokenizer.json")).toBe('{"damaged": true}');
    remote.files.delete("tokenizer.json");
    await expect(read(remote)).rejects.toThrow(/not the one that was stored any more/);
  });
  it("stay as they are where a repair fetches a weight file again", async () => {
    remote.files.set("tokenizer.json", encode(otherTokenizer));
    const partial = { ...model, ready: false };
    await store.putModel(partial);
    await store.deleteFile(model.id, "model.safetensors");
    expect(await repairModel({ store, model: partial, remote })).toMatchObject({ ok: true });
    expect(await store.getText(model.id, "tokenizer.json")).toBe(tokenizer);
  });
  it("get their SHA-256 at the next verify where an older version stored them, unless they are no JSON", async () => {
    const { textsSha256: _, ...older } = model;
    await store.putModel({ ...older, checked: true });
    await store.putText(model.id, "config.json", "\0\0");
    expect(await verifyModel({ store, model: older })).toMatchObject({ badTexts: ["config.json"] });
    expect(await repairModel({ store, model: older, remote })).toMatchObject({ ok: true });
    expect((await store.getModel(model.id))?.textsSha256).toEqual(model.textsSha256);
  });
  it("are stored again where the browser cleared them while weights came", async () => {
    let numCleared = 0;
    const clearing: ChunkStore = {
      ...store,
      async putModel(record) {
        numCleared += 1;
        if (numCleared === 1) await store.deleteModel(record.id);
        await store.putModel(record);
      },
    };
    const second = { ...remote, id: "second" };
    const fetched = await downloadCheckpoint({ remote: second, store: clearing, chunkBytes });
    expect(fetched.ready).toBe(true);
    for (const name of fetched.texts) expect(await store.getText("second", name), name).toBeDefined();
  });
});

describe("a stored model without a tokenizer", () => {
  let store: ChunkStore;
  let server: RangeServer;
  let other: RangeServer;
  let hub: HubServer;
  beforeEach(async () => {
    store = newIndexedDb();
    server = await startRangeServer({ folder: "fixtures/tiny-mxfp4" });
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) server.files.set(name, undefined);
    other = await startRangeServer();
    other.files.set("tokenizer.json", tokenizer);
    hub = await startHubServer();
    return () => Promise.all([server.close(), other.close(), hub.close()]);
  });

  async function opened(source: ModelSource): Promise<string | undefined> {
    const { files } = await openCheckpoint({ source: (await openSource(source)).files, store, chunkBytes });
    return files.readText("tokenizer.json");
  }

  it("takes the one that a later call names, stores it, and asks nobody after that", async () => {
    const withTokenizer = { baseUrl: server.url, tokenizer: { baseUrl: other.url } };
    expect(await opened({ baseUrl: server.url })).toBeUndefined();
    server.requests.length = 0;
    expect(await opened(withTokenizer)).toBe(tokenizer);
    expect(server.requests, "its own place is known to have none").toEqual([]);
    other.requests.length = 0;
    expect(await opened(withTokenizer)).toBe(tokenizer);
    expect(await opened({ baseUrl: server.url })).toBe(tokenizer);
    expect([...server.requests, ...other.requests]).toEqual([]);
    const model = (await store.listModels())[0];
    if (model === undefined) throw new Error("nothing is stored");
    expect(await verifyModel({ store, model })).toMatchObject({ ok: true, badTexts: [] });
  });
  it("asks nobody where none is named", async () => {
    await opened({ baseUrl: server.url });
    server.requests.length = 0;
    expect(await opened({ baseUrl: server.url })).toBeUndefined();
    expect(server.requests).toEqual([]);
  });
  it("asks a repository's branch for its commit only while the tokenizer is lacking", async () => {
    const files = new Map([["tokenizer.json", tokenizer]]);
    hub.repos.set("org/tokenizer", {
      revisions: new Map([["main", "a".repeat(40)]]),
      files,
      large: new Set(),
    });
    const source = { baseUrl: server.url, tokenizer: { hf: "org/tokenizer", endpoint: hub.endpoint } };
    expect(await opened(source)).toBe(tokenizer);
    hub.requests.length = 0;
    expect(await opened(source)).toBe(tokenizer);
    expect(hub.requests).toEqual([]);
    await expect(openSource({ ...source, tokenizer: { hf: "no repository" } })).rejects.toMatchObject({
      code: "request-invalid",
    });
  });
  it("is imported with it once its folder has one, and again where that is another", async () => {
    const weights = names.map(
      (name) => new File([readFileSync(`fixtures/tiny-mxfp4/${name}`)], name, { lastModified: 5 }),
    );
    const imported = (...texts: string[]) =>
      opened({
        files: [...weights, ...texts.map((text) => new File([text], "tokenizer.json"))],
        import: true,
      });
    expect(await imported()).toBeUndefined();
    expect(await imported(tokenizer)).toBe(tokenizer);
    expect(await imported(otherTokenizer)).toBe(otherTokenizer);
    expect(await imported(), "a folder without one takes none away").toBe(otherTokenizer);
    expect(await store.listModels()).toHaveLength(1);
  });
});
