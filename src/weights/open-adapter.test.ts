import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { EngineError } from "../errors.ts";
import { type HubServer, startHubServer } from "../testing/hub-server.ts";
import { loraAdapter } from "../testing/lora-adapter.ts";
import { repositoryPath } from "../testing/reference.ts";
import { createCommitPins } from "./commit-pins.ts";
import { downloadCheckpoint } from "./download.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { withLora } from "./lora-files.ts";
import { listModels } from "./models.ts";
import { openAdapter } from "./open-adapter.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { openSource } from "./open-source.ts";
import { repairModel } from "./repair-model.ts";
import type { RemoteFiles } from "./types.ts";

const base = createFolderFiles(repositoryPath("fixtures/tiny-mxfp4"));
const commit = "a".repeat(40);
const id = `hf:org/adapter@${commit}`;

let hub: HubServer;
let files: Map<string, string | Uint8Array>;
beforeEach(async () => {
  hub = await startHubServer();
  const adapter = await loraAdapter(base, { rank: 2, alpha: 4 });
  const weights = "adapter_model.safetensors";
  files = new Map<string, string | Uint8Array>([
    ["adapter_config.json", (await adapter.readText("adapter_config.json")) ?? ""],
    [weights, await adapter.read(weights, 0, await adapter.sizeBytes(weights))],
  ]);
  hub.repos.set("org/adapter", { revisions: new Map([["main", commit]]), files, large: new Set([weights]) });
});
afterEach(() => hub.close());

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("openAdapter", () => {
  it("stores an adapter from the web, and needs no request the next time", async () => {
    const store = createIndexedDbStore("adapters-1");
    const pins = createCommitPins(store);
    const open = () =>
      openAdapter({ hf: "org/adapter", endpoint: hub.endpoint }, { choose: async () => store }, { pins });
    await open();
    hub.requests.length = 0;
    const again = await open();
    const merged = await withLora(base, again);
    expect(merged.id).toBe(`${base.id} + ${id}`);
    expect((await merged.read("model.safetensors", 0, 500_000)).byteLength).toBe(500_000);
    expect(hub.requests).toEqual([]);
    expect(await listModels(store)).toMatchObject([{ id: `adapter:${id}`, kind: "adapter", ready: true }]);
  });

  it("keeps out of the way of a checkpoint in the same folder, and that of it", async () => {
    const store = createIndexedDbStore("adapters-5");
    const weights = "model.safetensors";
    files.set("config.json", (await base.readText("config.json")) ?? "");
    files.set(weights, await base.read(weights, 0, await base.sizeBytes(weights)));
    const location = { hf: "org/adapter", endpoint: hub.endpoint };
    const { files: remote } = await openSource(location);
    let got = 0;
    const closing: RemoteFiles = {
      ...remote,
      async fetchRange(...args) {
        got += 1;
        if (got > 3) throw new Error("the page closed");
        return remote.fetchRange(...args);
      },
    };
    const half = downloadCheckpoint({ remote: closing, store, chunkBytes: 50_000, connections: 1 });
    await expect(half).rejects.toThrow("the page closed");
    const adapter = await openAdapter(location, { choose: async () => store }, {});
    expect((await store.listChunks(id, weights)).size).toBe(3);
    const opened = await openCheckpoint({ source: remote, store });
    expect((await withLora(opened.files, adapter)).id).toBe(`${id} + ${id}`);
    expect((await listModels(store)).map(({ id, ready }) => [id, ready])).toEqual([
      [`adapter:${id}`, true],
      [id, true],
    ]);
  });

  it("opens one that an older version stored under its place, and never as a model", async () => {
    const store = createIndexedDbStore("adapters-6");
    const location = { hf: "org/adapter", endpoint: hub.endpoint };
    const { files: remote } = await openSource(location);
    const older = await downloadCheckpoint({ remote, store, kind: "adapter" });
    hub.requests.length = 0;
    const adapter = await openAdapter({ hf: id, endpoint: hub.endpoint }, { choose: async () => store }, {});
    expect((await withLora(base, adapter)).id).toBe(`${base.id} + ${id}`);
    expect(hub.requests).toEqual([]);
    for (const ready of [true, false]) {
      await store.putModel({ ...older, ready });
      expect(await failure(openCheckpoint({ source: remote, store }))).toMatchObject({
        code: "request-invalid",
        message: expect.stringMatching(/is stored as a LoRA adapter. Load its base model/),
      });
    }
    expect((await store.listChunks(id, "adapter_model.safetensors")).size).toBe(1);
    await store.putModel(older);
    const { id: place } = await openAdapter({ stored: id }, { choose: async () => store }, {});
    expect(place).toBe(id);
  });

  it("refuses what is no adapter before anything is stored", async () => {
    const store = createIndexedDbStore("adapters-2");
    files.set("adapter_config.json", '{"peft_type": "IA3"}');
    const location = { hf: "org/adapter", endpoint: hub.endpoint };
    expect(await failure(openAdapter(location, { choose: async () => store }, {}))).toMatchObject({
      code: "checkpoint-invalid",
    });
    files.delete("adapter_config.json");
    expect(
      await failure(openAdapter({ ...location, refresh: true }, { choose: async () => store }, {})),
    ).toMatchObject({
      code: "checkpoint-invalid",
      details: { file: "adapter_config.json" },
    });
    expect(await store.listModels()).toEqual([]);
  });

  it("reads a picked folder in place", async () => {
    const picked = [...files].map(([name, content]) => new File([content as BlobPart], name));
    const refuse = async () => {
      throw new Error("nothing is to be stored");
    };
    const adapter = await openAdapter({ files: picked }, { choose: refuse }, {});
    expect(adapter.id).toMatch(/^folder:folder#/);
    expect((await withLora(base, adapter)).id).toContain(adapter.id);
  });

  it("is downloaded as its caller says, and says what else takes room", async () => {
    const store = createIndexedDbStore("adapters-4");
    const full = async () => {
      throw new EngineError("storage-full", "no room");
    };
    const listed = [
      { ...{ id: "big", totalBytes: 9, storedBytes: 9, ready: true, files: [], store: "opfs" as const } },
    ];
    const ids: string[] = [];
    const opening = openAdapter(
      { hf: "org/adapter", endpoint: hub.endpoint },
      {
        choose: async () => ({ ...store, putChunk: full }),
        download: (adapterId, work) => {
          ids.push(adapterId);
          return work({ listStored: async () => listed });
        },
      },
      {},
    );
    expect(await failure(opening)).toMatchObject({
      code: "storage-full",
      message: expect.stringContaining("big"),
    });
    expect(ids).toEqual([`adapter:${id}`]);
  });

  it("is completed by a repair", async () => {
    const store = createIndexedDbStore("adapters-7");
    const location = { hf: "org/adapter", endpoint: hub.endpoint };
    await openAdapter(location, { choose: async () => store }, {});
    const [whole] = await store.listModels();
    if (whole === undefined) throw new Error("nothing is stored");
    const model = { ...whole, ready: false };
    await store.putModel(model);
    await store.deleteFile(model.id, "adapter_model.safetensors");
    const remote = { ...(await openSource(location)).files, id: model.id };
    expect(await repairModel({ store, model, remote })).toMatchObject({ ok: true });
    expect(await store.getModel(model.id)).toMatchObject({ ready: true, kind: "adapter" });
  });

  it("is not taken for a model", async () => {
    const store = createIndexedDbStore("adapters-3");
    const { files: remote } = await openSource({ hf: "org/adapter", endpoint: hub.endpoint });
    expect(await failure(openCheckpoint({ source: remote, store }))).toMatchObject({
      code: "checkpoint-invalid",
      message: expect.stringMatching(/it is a LoRA adapter: load its base model/),
    });
  });
});
