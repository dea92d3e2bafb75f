import "fake-indexeddb/auto";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { createHttpFiles } from "./http-files.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import type { ByteProgress } from "./types.ts";

const folder = "fixtures/tiny-sharded";
const shards = [0, 1, 2].map((n) => `model-0000${n}-of-00002.safetensors`);
const [shard0 = "", shard1 = "", shard2 = ""] = shards;
const contents = new Map(shards.map((name) => [name, readFileSync(`${folder}/${name}`)]));
const totalBytes = [...contents.values()].reduce((total, { byteLength }) => total + byteLength, 0);
const chunkBytes = 100_000;
const chunksPerShard = [10, 9, 8];

let server: RangeServer;
let store: ChunkStore;
let numStores = 0;

beforeEach(async () => {
  server = await startRangeServer({ folder });
  server.files.set("tokenizer.json", '{"model":{}}');
  store = createIndexedDbStore(`download-test-${numStores++}`);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

const newRemote = () => createHttpFiles({ baseUrl: server.url, retryDelayMs: 1, retries: 1 });
const download = (options: Partial<Parameters<typeof downloadCheckpoint>[0]> = {}) =>
  downloadCheckpoint({ remote: newRemote(), store, chunkBytes, ...options });
const open = () => openCheckpoint({ source: newRemote(), store, chunkBytes });

const sha256Of = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const storedChunks = async (name: string) => [...(await store.listChunks(server.url, name)).keys()];

/** Requests for whole chunks: not the probes of one byte, not the headers. */
function chunkRequests() {
  return server.requests.filter(({ range }) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    return last !== undefined && !(first === "0" && (last === "1" || last === "65535"));
  });
}

describe("downloadCheckpoint", () => {
  it("stores every byte and every small file", async () => {
    const model = await download();
    expect(model.ready).toBe(true);
    expect(model.texts).toEqual(["config.json", "model.safetensors.index.json", "tokenizer.json"]);
    expect(chunkRequests()).toHaveLength(27);
    const { files } = await open();
    for (const [name, content] of contents) {
      const stored = await files.read(name, 0, content.byteLength);
      expect(Buffer.compare(stored, content)).toBe(0);
    }
    expect(await files.readText("tokenizer.json")).toBe('{"model":{}}');
    expect(await files.readText("generation_config.json")).toBeUndefined();
  });
  it("fetches and stores nothing of a checkpoint that the caller refuses, and is told of it once", async () => {
    const onManifest = vi.fn(() => {
      throw new Error("too large for this adapter");
    });
    await expect(download({ onManifest })).rejects.toThrow("too large for this adapter");
    expect(onManifest).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ config: expect.objectContaining({ vocabSize: expect.any(Number) }) }),
    );
    expect(chunkRequests()).toEqual([]);
    expect(await store.listModels()).toEqual([]);
    const accepted = vi.fn();
    await download({ onManifest: accepted });
    await download({ onManifest: accepted }); // everything is stored: there is nothing to refuse
    expect(accepted).toHaveBeenCalledTimes(1);
  });
  it("makes no request once everything is stored", async () => {
    const first = await open();
    await server.close();
    server.requests.length = 0;
    const offline = vi.fn(() => Promise.reject(new TypeError("offline")));
    const source = createHttpFiles({ baseUrl: server.url, fetch: offline });
    const second = await openCheckpoint({ source, store });
    expect(second.manifest).toEqual(first.manifest);
    const bytes = await second.files.read(shard2, 50_000, 350_000);
    expect(Buffer.compare(bytes, contents.get(shard2)?.subarray(50_000, 350_000) ?? bytes)).toBe(0);
    expect(await second.files.readText("config.json")).toContain("gpt_oss");
    expect(offline).not.toHaveBeenCalled();
  });
  it("reports monotone progress that ends at exactly 100 %", async () => {
    const reports: ByteProgress[] = [];
    await download({ onProgress: (report) => reports.push(report) });
    expect(reports.length).toBeGreaterThan(20);
    const loaded = reports.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(loaded[0]).toBe(0);
    expect(new Set(reports.map((report) => report.totalBytes))).toEqual(new Set([totalBytes]));
    expect(loaded.at(-1)).toBe(totalBytes);
  });
  it("keeps progress monotone through broken transfers", async () => {
    for (const name of shards) {
      server.fault(name, { kind: "reset", afterBytes: 70_000 }, { skip: 3 });
      server.fault(name, { kind: "short-body", afterBytes: 66_000 }, { skip: 1 });
    }
    const loaded: number[] = [];
    await download({ onProgress: ({ loadedBytes }) => loaded.push(loadedBytes) });
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(loaded.at(-1)).toBe(totalBytes);
  });
  it("never has more chunks in flight than allowed", async () => {
    let inFlight = 0;
    let most = 0;
    const remote = newRemote();
    const counting = {
      ...remote,
      async fetchRange(...args: Parameters<typeof remote.fetchRange>) {
        most = Math.max(most, ++inFlight);
        return remote.fetchRange(...args).finally(() => inFlight--);
      },
    };
    await download({ remote: counting, connections: 3 });
    expect(most).toBe(3);
  });
});

describe("downloadCheckpoint resuming", () => {
  it("fetches no stored chunk again", async () => {
    server.fault(shard1, { kind: "status", status: 500 }, { skip: 6, times: 99 });
    await expect(download({ connections: 1 })).rejects.toMatchObject({ code: "download-failed" });
    const stored = new Map<string, number[]>();
    for (const name of shards) stored.set(name, await storedChunks(name));
    expect(stored.get(shard0)).toHaveLength(10);
    expect(stored.get(shard1)).toHaveLength(4);
    await server.close();

    const restarted = await startRangeServer({ folder });
    // Another port is another id, so the requests of the first address are sent to the new server.
    const remote = createHttpFiles({
      baseUrl: server.url,
      fetch: (url, init) => fetch(url.replace(server.url, restarted.url), init),
    });
    const loaded: number[] = [];
    await download({ remote, onProgress: ({ loadedBytes }) => loaded.push(loadedBytes) });
    expect(loaded[0]).toBe(922_704 + 400_000);
    const fetched = restarted.requests.filter(({ range }) => range !== undefined && range !== "bytes=0-1");
    expect(fetched.filter(({ file }) => file === shard0)).toEqual([]);
    // Four chunks of shard 1 are stored, its header with the first of them; shard 2 needs its header and all.
    const rangesOfShard1 = fetched.filter(({ file }) => file === shard1).map(({ range }) => range);
    expect(rangesOfShard1.sort()).toEqual(
      [4, 5, 6, 7, 8].map((i) => `bytes=${i * chunkBytes}-${Math.min((i + 1) * chunkBytes, 875_892) - 1}`),
    );
    expect(fetched.filter(({ file }) => file === shard2)).toHaveLength(1 + 8);
    await restarted.close();
  });
  it("drops the chunks of a file whose ETag changed, and only those", async () => {
    server.fault(shard2, { kind: "status", status: 404 }, { skip: 2, times: 1 });
    await expect(download({ connections: 1 })).rejects.toMatchObject({ details: { status: 404 } });
    server.requests.length = 0;
    server.etags.set(shard1, '"new"');
    await download();
    const count = (file: string) => chunkRequests().filter((request) => request.file === file).length;
    expect(shards.map(count)).toEqual([0, chunksPerShard[1], chunksPerShard[2]]);
  });
  it("begins a file anew that changes while it is fetched, and gives up on one that always changes", async () => {
    const loaded: number[] = [];
    const changed = Buffer.from(contents.get(shard0) ?? []).fill(7, 500_000, 500_010);
    const onProgress = ({ loadedBytes }: ByteProgress) => {
      loaded.push(loadedBytes);
      if (loadedBytes <= 200_000 || server.etags.has(shard0)) return;
      server.files.set(shard0, changed);
      server.etags.set(shard0, '"new"');
    };
    const model = await download({ connections: 1, onProgress });
    expect(model.files[0]).toMatchObject({ etag: '"new"', sha256: sha256Of(changed) });
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(loaded.at(-1)).toBe(totalBytes);

    await store.deleteModel(server.url);
    let numTags = 0;
    const restless = () => server.etags.set(shard0, `"${++numTags}"`);
    await expect(download({ connections: 1, onProgress: restless })).rejects.toThrow(/changed on the server/);
  });
  it("counts against the new size where a file is another one of another size", async () => {
    const original = contents.get(shard0) ?? Buffer.alloc(0);
    const headerEnd = 8 + Number(original.readBigUInt64LE(0));
    const spaces = 150_000; // a header may end in them
    const longer = Buffer.concat([
      original.subarray(0, headerEnd),
      Buffer.alloc(spaces, " "),
      original.subarray(headerEnd),
    ]);
    longer.writeBigUInt64LE(BigInt(headerEnd - 8 + spaces));
    const reports: ByteProgress[] = [];
    const onProgress = (report: ByteProgress) => {
      reports.push(report);
      if (report.loadedBytes <= 200_000 || server.etags.has(shard0)) return;
      server.files.set(shard0, longer);
      server.etags.set(shard0, '"new"');
    };
    const model = await download({ connections: 1, onProgress });
    expect(model.files[0]?.sizeBytes).toBe(longer.byteLength);
    const all = totalBytes + spaces;
    expect(reports.at(-1)).toMatchObject({ loadedBytes: all, totalBytes: all });
  });
  it("says that it waits for a server that asks for it, and can be stopped meanwhile", async () => {
    for (const [name] of contents) {
      server.fault(name, { kind: "status", status: 429, retryAfter: "60" }, { skip: 4, times: 100 });
    }
    const abort = new AbortController();
    const states: unknown[] = [];
    const onProgress = ({ state }: ByteProgress) => {
      states.push(state);
      if (state === "waiting-for-server") abort.abort();
    };
    await expect(download({ signal: abort.signal, onProgress })).rejects.toMatchObject({ code: "aborted" });
    expect(states).toContain("waiting-for-server");
  });
  it("stops within a chunk when aborted, and goes on later", async () => {
    const abort = new AbortController();
    const spy = vi.fn((url: string, init: RequestInit) => fetch(url, init));
    const remote = createHttpFiles({ baseUrl: server.url, fetch: spy });
    const onProgress = ({ loadedBytes }: ByteProgress) => {
      if (loadedBytes > 500_000) abort.abort();
    };
    await expect(download({ remote, signal: abort.signal, onProgress })).rejects.toMatchObject({
      code: "aborted",
    });
    const requestsAtAbort = spy.mock.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(spy).toHaveBeenCalledTimes(requestsAtAbort);
    expect(chunkRequests().length).toBeLessThan(15);
    expect((await store.getModel(server.url))?.ready).toBe(false);
    expect((await download()).ready).toBe(true);
  });
});

describe("downloadCheckpoint refusals", () => {
  async function expectNothingFetched(): Promise<void> {
    expect(chunkRequests()).toEqual([]);
    expect(await store.getModel(server.url)).toBeUndefined();
  }

  it("finds a wrong tensor shape before the bulk", async () => {
    const bytes = Buffer.from(contents.get(shard1) ?? []);
    const at = bytes.indexOf("[384,192]");
    expect(at).toBeGreaterThan(0);
    bytes.write("[192,384]", at, "latin1");
    server.files.set(shard1, bytes);
    await expect(download()).rejects.toThrow(
      /model\.layers\.0\.self_attn\.q_proj\.weight is BF16 \[192, 384\] .*expected BF16 \[384, 192\]/,
    );
    await expectNothingFetched();
  });
  it.each([
    ["a folder without config.json", "config.json", undefined, /has no config\.json/, "checkpoint-invalid"],
    [
      "a config.json that is no JSON",
      "config.json",
      "{",
      /config\.json is not valid JSON/,
      "checkpoint-invalid",
    ],
    ["an HTML page as config.json", "config.json", "<!doctype html>", /HTML page/, "download-failed"],
    ["a shard that is missing", shard2, undefined, /no such file \(404\)/, "download-failed"],
    [
      "a shard that is an HTML page",
      shard2,
      "<html>".repeat(20_000),
      /safetensors header claims/,
      "checkpoint-invalid",
    ],
  ] as const)("refuses %s", async (_, name, content, message, code) => {
    server.files.set(name, content);
    const result = download();
    await expect(result).rejects.toThrow(message);
    await expect(result).rejects.toMatchObject({ code });
    await expectNothingFetched();
  });
  it("refuses a tokenizer.json that was cut short", async () => {
    server.files.set("tokenizer.json", '{"model":');
    await expect(download()).rejects.toThrow(/tokenizer\.json is not valid JSON/);
    expect(chunkRequests()).toEqual([]);
  });
  it("says how much room is missing when the disk is full, and keeps what is stored", async () => {
    let numStored = 0;
    const limited: ChunkStore = {
      ...store,
      async putChunk(...args) {
        if (++numStored > 5)
          vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(() => {
            throw new DOMException("", "QuotaExceededError");
          });
        return store.putChunk(...args);
      },
    };
    const result = download({ store: limited, connections: 1 });
    const neededBytes = totalBytes - 500_000;
    await expect(result).rejects.toMatchObject({
      code: "storage-full",
      details: { neededBytes, totalBytes },
    });
    await expect(result).rejects.toThrow(/2\.1 MB of 2\.6 MB are still to be stored/);
    expect(await storedChunks(shard0)).toEqual([0, 1, 2, 3, 4]);
    expect((await store.getModel(server.url))?.ready).toBe(false);
  });
});
