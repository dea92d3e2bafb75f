// Downloads whose files are hashed in a worker, and what becomes of them when that worker fails.
import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { seededRandom } from "../../testing/data.ts";
import { fakeHashWorkers } from "../../testing/fake-hash-worker.ts";
import type { WorkerFault } from "../../testing/fake-worker-ports.ts";
import { type MemoryRemote, memoryRemote, sha256Hex } from "../../testing/memory-remote.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { type DownloadOptions, downloadCheckpoint } from "../download.ts";
import { createIndexedDbStore } from "../indexeddb-store.ts";
import * as inPlace from "./sha256.ts";

const shards = [0, 1, 2].map((n) => `model-0000${n}-of-00002.safetensors`);
const chunkBytes = 100_000;
const newRemote = () =>
  memoryRemote("tiny-sharded", ["config.json", "model.safetensors.index.json", ...shards]);
const digests = shards.map((name) => sha256Hex(newRemote().files.get(name) ?? new Uint8Array()));
const numChunks = 27;

let numStores = 0;
const newStore = () => createIndexedDbStore(`file-hash-${numStores++}`);

async function download(store: ChunkStore, options: Partial<DownloadOptions> = {}): Promise<string[]> {
  const model = await downloadCheckpoint({ remote: newRemote(), store, chunkBytes, ...options });
  expect(model.ready).toBe(true);
  return model.files.map(({ sha256 = "" }) => sha256);
}

/** A remote whose answers take a random time. */
function slowRemote(seed: number): MemoryRemote {
  const random = seededRandom(seed);
  const remote = newRemote();
  const { fetchRange } = remote;
  remote.fetchRange = async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, random() * 6));
    return fetchRange(...args);
  };
  return remote;
}

const spyInPlace = () => vi.spyOn(inPlace, "openLocalSha256");
afterEach(() => vi.restoreAllMocks());

describe("files hashed in workers", () => {
  it.each([1, 4, 7])(
    "have their SHA-256 with %i connections, and nothing is hashed in place",
    async (connections) => {
      const local = spyInPlace();
      const workers = fakeHashWorkers();
      const options = { remote: slowRemote(connections), connections, openHashPort: workers.open };
      expect(await download(newStore(), options)).toEqual(digests);
      expect(local).not.toHaveBeenCalled();
      const requests = workers.requests.flat();
      const count = (wanted: string) => requests.filter((kind) => kind === wanted).length;
      expect([count("start"), count("update"), count("digest")]).toEqual([3, numChunks, 3]);
      expect(workers.numOpen(), "workers are ended").toBe(0);
    },
  );

  it("leave no worker behind where nothing is missing, and start none", async () => {
    const store = newStore();
    await download(store);
    const openHashPort = vi.fn(fakeHashWorkers().open);
    await download(store, { openHashPort });
    expect(openHashPort).not.toHaveBeenCalled();
  });

  it("give their memory to the worker, without a copy, once it is stored", async () => {
    const remote = newRemote();
    const { fetchRange } = remote;
    const fetched: Uint8Array[] = [];
    remote.fetchRange = async (...args) => {
      const bytes = await fetchRange(...args);
      fetched.push(bytes);
      return bytes;
    };
    // One connection: chunks come in order, and none is left to be read back from the store.
    const options = { remote, connections: 1, openHashPort: fakeHashWorkers().open };
    expect(await download(newStore(), options)).toEqual(digests);
    expect(fetched.map(({ byteLength }) => byteLength)).toEqual(Array(numChunks).fill(0));
  });

  it("keep the rest of a larger buffer that a chunk is a view of", async () => {
    const remote = newRemote();
    const larger: Uint8Array[] = [];
    remote.fetchRange = async (name, { startBytes, endBytes }) => {
      const whole = remote.files.get(name)?.slice() ?? new Uint8Array();
      larger.push(whole);
      return whole.subarray(startBytes, endBytes);
    };
    expect(await download(newStore(), { remote, openHashPort: fakeHashWorkers().open })).toEqual(digests);
    expect(larger.every(({ byteLength }) => byteLength > 2 * chunkBytes)).toBe(true);
  });

  it("hold a fetch up rather than fill the memory where hashing is slow", async () => {
    const remote = newRemote();
    const workers = fakeHashWorkers();
    const held = workers.hold();
    // One connection: of several, a chunk that overtakes others is let go, to be read back, and one more is fetched.
    const done = download(newStore(), { remote, connections: 1, openHashPort: workers.open });
    await vi.waitFor(() => expect(remote.fetched).toHaveLength(2), 10_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(remote.fetched, "1 in flight and 1 waiting").toHaveLength(2);
    held.release();
    expect(await done).toEqual(digests);
  });
});

describe("a hash worker", () => {
  it("that cannot be started leaves the work to this thread, and is not tried for every file", async () => {
    const openHashPort = vi.fn(() => {
      throw new DOMException("blocked", "SecurityError");
    });
    expect(await download(newStore(), { openHashPort, connections: 1 })).toEqual(digests);
    expect(openHashPort).toHaveBeenCalledTimes(1);
  });

  const faults = (["dies", "refuses"] as const).flatMap((kind) =>
    [0, 1, 2, 5, 10, 11, 12, 20, 31, 32].map((at): WorkerFault => ({ kind, at })),
  );
  it.each(faults)(
    "that $kind at request $at: what it had is hashed here, though chunks end in any order",
    async (fault) => {
      const local = spyInPlace();
      const workers = fakeHashWorkers(fault);
      const options = { remote: slowRemote(fault.at), openHashPort: workers.open };
      expect(await download(newStore(), options)).toEqual(digests);
      expect(local).toHaveBeenCalled();
      expect(workers.numOpen()).toBe(0);
    },
  );

  it.each(faults)("that $kind at request $at: no more is read again than it had", async (fault) => {
    const store = newStore();
    const getChunk = vi.fn(store.getChunk);
    const openHashPort = fakeHashWorkers(fault).open;
    expect(await download({ ...store, getChunk }, { openHashPort, connections: 1 })).toEqual(digests);
    // Two chunks, and as many of a file beside it.
    expect(getChunk.mock.calls.length).toBeLessThanOrEqual(4);
  });

  it("that dies is followed by the state it had reached, not by the file's start", async () => {
    const local = spyInPlace();
    const options = { openHashPort: fakeHashWorkers({ kind: "dies", at: 6 }).open, connections: 1 };
    expect(await download(newStore(), options)).toEqual(digests);
    expect(local.mock.calls[0]?.[0], "a state").toBeInstanceOf(Uint8Array);
  });

  it.each(["dies", "falls silent"] as const)("that %s does not hold up an abort", async (kind) => {
    const store = newStore();
    const abort = new AbortController();
    const workers = fakeHashWorkers({ kind, at: 3 });
    const putHash = vi.fn(store.putHash);
    const options = { connections: 2, signal: abort.signal, openHashPort: workers.open };
    const remote = slowRemote(1);
    const { fetchRange } = remote;
    remote.fetchRange = async (...args) => {
      if (remote.fetched.length >= 4) abort.abort(); // two at once may count past it
      return fetchRange(...args);
    };
    const done = download({ ...store, putHash }, { ...options, remote });
    await expect(done).rejects.toMatchObject({ code: "aborted" });
    expect(workers.numOpen()).toBe(0);
    const numWritten = putHash.mock.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(putHash, "nothing goes on behind the abort").toHaveBeenCalledTimes(numWritten);
    expect(await download(store)).toEqual(digests);
  });

  it("goes on from the stored state after a resume, and is given only what it does not cover", async () => {
    const store = newStore();
    const remote = newRemote();
    const { fetchRange } = remote;
    const workers = fakeHashWorkers();
    remote.fetchRange = async (name, range, options) => {
      if (name === shards[1] && range.startBytes >= 4 * chunkBytes) {
        await vi.waitFor(
          async () => expect((await store.getHash(remote.id, name))?.numChunks).toBe(4),
          10_000,
        );
        throw new Error("the page closed");
      }
      return fetchRange(name, range, options);
    };
    const first = download(store, { remote, connections: 1, openHashPort: workers.open });
    await expect(first).rejects.toThrow("the page closed");
    const resumed = fakeHashWorkers();
    const getChunk = vi.fn(store.getChunk);
    const options = { connections: 1, openHashPort: resumed.open }; // in order: none is read back
    expect(await download({ ...store, getChunk }, options)).toEqual(digests);
    expect(resumed.requests.flat().filter((kind) => kind === "update")).toHaveLength(5 + 8);
    const numRead = getChunk.mock.calls.filter(([{ index }]) => index > 0).length;
    expect(numRead, "only headers are read").toBe(0);
  });

  it("is ended where the store fails, and the failure is told", async () => {
    const store = newStore();
    const workers = fakeHashWorkers();
    const full = new DOMException("no room", "QuotaExceededError");
    const putHash = vi.fn(async () => Promise.reject(full));
    await expect(download({ ...store, putHash }, { openHashPort: workers.open })).rejects.toBe(full);
    expect(workers.numOpen()).toBe(0);
  });
});
