// What a download that goes on keeps, by what its server says of the file.
import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { createHttpFiles } from "./http-files.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { openSource } from "./open-source.ts";
import { repairModel } from "./repair-model.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { RemoteFiles } from "./types.ts";

const file = "model.safetensors";
const chunkBytes = 50_000;
const original = new Uint8Array(readFileSync(`fixtures/tiny-mxfp4/${file}`));
const changed = original.slice().fill(7, 100_000);
const numChunks = Math.ceil(original.byteLength / chunkBytes);
const numStored = 5;

let server: RangeServer;
let store: ChunkStore;
let numStores = 0;
beforeEach(async () => {
  server = await startRangeServer({ folder: "fixtures/tiny-mxfp4" });
  store = createIndexedDbStore(`resume-test-${numStores++}`);
});
afterEach(() => server.close());

const newRemote = () => createHttpFiles({ baseUrl: server.url, retries: 0 });

/** A first visit that ends with `numStored` chunks stored. */
async function leave(): Promise<void> {
  const remote = newRemote();
  let got = 0;
  const closing: RemoteFiles = {
    ...remote,
    async fetchRange(...args) {
      got += 1;
      if (got > numStored) throw new Error("the page closed");
      return remote.fetchRange(...args);
    },
  };
  const first = downloadCheckpoint({ remote: closing, store, chunkBytes, connections: 1 });
  await expect(first).rejects.toThrow("the page closed");
  server.requests.length = 0;
}

/** A second visit. @returns the number of chunks it fetched, and what is stored then */
async function goOn() {
  const model = await downloadCheckpoint({ remote: newRemote(), store, chunkBytes });
  const numFetched = server.requests.filter(
    ({ file: name, range }) => name === file && range !== "bytes=0-1" && range !== "bytes=0-65535",
  ).length;
  return {
    model,
    numFetched,
    bytes: await createCachedFiles({ store, model }).read(file, 0, original.byteLength),
  };
}

const monday = "Mon, 02 Nov 2026 10:00:00 GMT";
const tuesday = "Tue, 03 Nov 2026 10:00:00 GMT";

describe("a download that goes on at a server", () => {
  it("whose ETag is hidden since keeps what is stored, and remembers the ETag", async () => {
    await leave();
    server.etags.set(file, undefined);
    const { numFetched, model } = await goOn();
    expect(numFetched).toBe(numChunks - numStored);
    expect(model.files[0]?.etag).toBe(`"etag-${file}"`);
  });
  it("without ETag keeps what is stored while Last-Modified is the same", async () => {
    server.etags.set(file, undefined);
    server.lastModified.set(file, monday);
    await leave();
    expect((await goOn()).numFetched).toBe(numChunks - numStored);
  });
  it("without ETag begins anew where Last-Modified is another", async () => {
    server.etags.set(file, undefined);
    server.lastModified.set(file, monday);
    await leave();
    server.lastModified.set(file, tuesday);
    server.files.set(file, changed);
    const { numFetched, bytes } = await goOn();
    expect(numFetched).toBe(numChunks);
    expect(Buffer.compare(bytes, changed)).toBe(0);
  });
  it("that says nothing of its file begins anew: two versions of one size must not mix", async () => {
    server.etags.set(file, undefined);
    await leave();
    server.files.set(file, changed);
    const { bytes } = await goOn();
    expect(Buffer.compare(bytes, changed)).toBe(0);
  });
  it("whose file changes under it by Last-Modified alone begins that file anew", async () => {
    server.etags.set(file, undefined);
    server.lastModified.set(file, monday);
    const remote = newRemote();
    let got = 0;
    const changing: RemoteFiles = {
      ...remote,
      async fetchRange(...args) {
        got += 1;
        if (got === 4) {
          server.files.set(file, changed);
          server.lastModified.set(file, tuesday);
        }
        return remote.fetchRange(...args);
      },
    };
    await downloadCheckpoint({ remote: changing, store, chunkBytes, connections: 1 });
    const { bytes } = await goOn();
    expect(Buffer.compare(bytes, changed)).toBe(0);
  });
});

describe("a repair from a copy of the imported folder, with other times", () => {
  it("reads the bad file alone", async () => {
    const shards = [0, 1, 2].map((n) => `model-0000${n}-of-00002.safetensors`);
    const names = ["config.json", "model.safetensors.index.json", ...shards];
    const folder = (lastModified: number) =>
      names.map(
        (name) =>
          new File([new Uint8Array(readFileSync(`fixtures/tiny-sharded/${name}`))], name, { lastModified }),
      );
    const first = await openSource({ files: folder(5), import: true });
    const model = await downloadCheckpoint({ remote: first.files, store, chunkBytes });
    const bad = shards[1] ?? "";
    const ref = (index: number) => ({ id: model.id, file: bad, index, startBytes: index * chunkBytes });
    const [a, b] = [await store.getChunk(ref(0)), await store.getChunk(ref(1))];
    await store.putChunk(ref(0), b.bytes ?? new Uint8Array(), b.digest ?? "");
    await store.putChunk(ref(1), a.bytes ?? new Uint8Array(), a.digest ?? "");
    const copy = await openSource({ files: folder(9), import: true });
    const read = new Set<string>();
    const remote: RemoteFiles = {
      ...copy.files,
      id: model.id,
      fetchRange(name, ...rest) {
        read.add(name);
        return copy.files.fetchRange(name, ...rest);
      },
    };
    expect(await repairModel({ store, model, remote })).toMatchObject({ ok: true });
    expect([...read]).toEqual([bad]);
  });
});
