import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { createHttpFiles } from "./http-files.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { createCachedFiles, openStoredCheckpoint } from "./stored-files.ts";

const folder = "fixtures/tiny-mxfp4";
const file = "model.safetensors";
const content = readFileSync(`${folder}/${file}`);
const chunkBytes = 100_000;

let server: RangeServer;
let store: ChunkStore;
let model: StoredModel;
let numStores = 0;

const remote = () => createHttpFiles({ baseUrl: server.url, retries: 0 });
const ref = (index: number) => ({ id: server.url, file, index, startBytes: index * chunkBytes });

beforeAll(async () => {
  server = await startRangeServer({ folder });
});
afterAll(() => server.close());
beforeEach(async () => {
  store = createIndexedDbStore(`stored-files-test-${numStores++}`);
  model = await downloadCheckpoint({ remote: remote(), store, chunkBytes });
  server.requests.length = 0;
  server.etags.clear();
});

/** Flips one bit of a stored chunk, keeping its digest. */
async function corrupt(index: number): Promise<void> {
  const { bytes, digest } = await store.getChunk(ref(index));
  if (bytes === undefined || digest === undefined) throw new Error("no such chunk");
  bytes[17] = (bytes[17] ?? 0) ^ 1;
  await store.putChunk(ref(index), bytes, digest);
}

function expectRange(got: Uint8Array, start: number, end: number): void {
  expect(got).toHaveLength(end - start);
  expect(Buffer.compare(got, content.subarray(start, end))).toBe(0);
}

describe("createCachedFiles", () => {
  it("reads any range", async () => {
    const files = createCachedFiles({ store, model });
    const edge = fc.oneof(
      fc.nat(content.byteLength),
      fc.constantFrom(0, 1, 2, 3).map((i) => i * chunkBytes),
    );
    await fc.assert(
      fc.asyncProperty(edge, edge, async (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        expectRange(await files.read(file, start, end), start, end);
      }),
      { numRuns: 40 },
    );
  });
  it("gives the caller an array of its own", async () => {
    const files = createCachedFiles({ store, model });
    (await files.read(file, 0, 50)).fill(0);
    expectRange(await files.read(file, 0, 50), 0, 50);
  });
  it.each([
    [0, 10_000_000],
    [-1, 5],
    [5, 4],
  ])("refuses the range [%i, %i)", async (start, end) => {
    const files = createCachedFiles({ store, model });
    await expect(files.read(file, start, end)).rejects.toMatchObject({ code: "checkpoint-invalid" });
  });
  it("names a file that is not there", async () => {
    await expect(createCachedFiles({ store, model }).sizeBytes("b.safetensors")).rejects.toThrow(
      /no file b\.saf/,
    );
  });
  it("reads each chunk from storage once when read in pieces in order", async () => {
    const getChunk = vi.fn(store.getChunk);
    const files = createCachedFiles({ store: { ...store, getChunk }, model });
    for (let at = 0; at < content.byteLength; at += 30_000) {
      await files.read(file, at, Math.min(at + 30_000, content.byteLength));
    }
    expect(getChunk.mock.calls.map(([{ index }]) => index)).toEqual(Array.from({ length: 17 }, (_, i) => i));
  });
  it("rejects with aborted while a chunk is still being read", async () => {
    const getChunk = () => new Promise<never>(() => {});
    const files = createCachedFiles({ store: { ...store, getChunk }, model });
    const abort = new AbortController();
    const read = files.read(file, 0, 10, abort.signal);
    setTimeout(() => abort.abort(), 10);
    await expect(read).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("createCachedFiles repair", () => {
  it("finds a corrupted chunk, fetches it alone again and stores it", async () => {
    await corrupt(3);
    const files = createCachedFiles({ store, model, remote: remote() });
    expectRange(await files.read(file, 250_000, 550_000), 250_000, 550_000);
    expect(server.requests).toEqual([{ file, range: "bytes=300000-399999", status: 206 }]);
    expectRange(await createCachedFiles({ store, model }).read(file, 300_000, 400_000), 300_000, 400_000);
  });
  it("heals a truncated chunk, a swapped one and a lost one", async () => {
    const second = await store.getChunk(ref(2));
    const digest = (index: number) => store.getChunk(ref(index)).then((chunk) => chunk.digest ?? "");
    await store.putChunk(ref(1), new Uint8Array(5), await digest(1));
    await store.putChunk(ref(4), second.bytes ?? new Uint8Array(), await digest(4));
    await store.deleteFile(server.url, "other");
    const lost: ChunkStore = {
      ...store,
      getChunk: async (r) =>
        r.index === 6 ? { bytes: undefined, digest: await digest(6) } : store.getChunk(r),
      readInto: async (r, skipBytes, target) => r.index !== 6 && store.readInto(r, skipBytes, target),
      readWithDigest: async (r, target) => (r.index === 6 ? undefined : store.readWithDigest(r, target)),
    };
    const files = createCachedFiles({ store: lost, model, remote: remote() });
    expectRange(await files.read(file, 0, content.byteLength), 0, content.byteLength);
    expect(server.requests.map(({ range }) => range)).toEqual([
      "bytes=100000-199999",
      "bytes=400000-499999",
      "bytes=600000-699999",
    ]);
  });
  it("refuses other bytes from the server in place of a damaged chunk", async () => {
    await corrupt(0);
    const other = Buffer.from(content);
    other.fill(7, 50_000, 50_010);
    server.files.set(file, other);
    const read = createCachedFiles({ store, model, remote: remote() }).read(file, 0, 10);
    await expect(read).rejects.toMatchObject({ code: "checksum-mismatch", details: { file, chunk: 0 } });
    await expect(read).rejects.toThrow(/not the one that was stored any more/);
    server.files.delete(file);
  });
  it("raises checksum-mismatch without a remote, or with one that fails", async () => {
    await corrupt(2);
    const alone = createCachedFiles({ store, model }).read(file, 210_000, 210_001);
    await expect(alone).rejects.toMatchObject({ code: "checksum-mismatch", details: { file, chunk: 2 } });
    server.fault(file, { kind: "status", status: 404 });
    const files = createCachedFiles({ store, model, remote: remote() });
    const failing = files.read(file, 210_000, 210_001);
    await expect(failing).rejects.toMatchObject({
      code: "checksum-mismatch",
      details: { chunk: 2, status: 404 },
    });
    // A failure is not remembered: the next read tries again.
    expectRange(await files.read(file, 210_000, 210_001), 210_000, 210_001);
  });
});

describe("openStoredCheckpoint", () => {
  it("opens a model that is stored whole, and only that", async () => {
    const files = await openStoredCheckpoint(store, server.url);
    expect(await files?.readText("config.json")).toBe(readFileSync(`${folder}/config.json`, "utf8"));
    await store.putModel({ ...model, ready: false });
    expect(await openStoredCheckpoint(store, server.url)).toBeUndefined();
    expect(await openStoredCheckpoint(store, "other")).toBeUndefined();
    expect(server.requests).toEqual([]);
  });
});
