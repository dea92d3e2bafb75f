import { afterEach, describe, expect, it, vi } from "vitest";
import { createFakeOpfs } from "../../testing/fake-opfs.ts";
import { fakeReadWorkers } from "../../testing/fake-read-worker.ts";
import { sha256Hex } from "../../testing/memory-remote.ts";
import { createOpfsStore } from "../opfs/opfs-store.ts";
import { createReaders } from "./readers.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) % 251);
const blob = new Blob([content]);
const part = (start: number, length: number) => content.subarray(start, start + length);
type Workers = ReturnType<typeof fakeReadWorkers>;
const readersOf = (workers: Workers, more: { numWorkers?: number; waitMs?: number } = {}) =>
  createReaders({ openPort: workers.open, numWorkers: 2, leastBytes: 10, ...more });

afterEach(() => void vi.useRealTimers());

describe("readers", () => {
  it("fill the caller's memory, with the digest where it is asked for", async () => {
    const readers = readersOf(fakeReadWorkers());
    const memory = new Uint8Array(102);
    const digest = sha256Hex(part(300, 100));
    expect(await readers.read(blob.slice(300, 400), memory.subarray(1, 101), true)).toEqual({ digest });
    expect(memory).toEqual(new Uint8Array([0, ...part(300, 100), 0]));
    expect(await readers.read(blob.slice(0, 102), memory, false)).toEqual({ digest: undefined });
    expect(memory).toEqual(part(0, 102));
  });

  it("share the work, in no more workers than they may be, started when there is something to do", async () => {
    const workers = fakeReadWorkers();
    const readers = readersOf(workers, { numWorkers: 3 });
    expect(await readers.read(blob.slice(0, 9), new Uint8Array(9), false)).toBeUndefined(); // not worth it
    expect(workers.numOpen()).toBe(0);
    await readers.read(blob, new Uint8Array(1000), false);
    await readers.read(blob, new Uint8Array(1000), false);
    expect(workers.numOpen()).toBe(1);
    const targets = Array.from({ length: 9 }, () => new Uint8Array(50));
    await Promise.all(targets.map((target, i) => readers.read(blob.slice(i, i + 50), target, false)));
    targets.forEach((target, i) => {
      expect(target).toEqual(part(i, 50));
    });
    expect(workers.requests.map(({ length }) => length)).toEqual([5, 3, 3]);
  });

  it("use memory again", async () => {
    const made = vi.spyOn(globalThis, "ArrayBuffer");
    const readers = readersOf(fakeReadWorkers());
    const target = new Uint8Array(500);
    await readers.read(blob.slice(0, 500), target, false);
    made.mockClear();
    for (const length of [500, 20, 499])
      await readers.read(blob.slice(0, length), target.subarray(0, length), false);
    expect(made).not.toHaveBeenCalled();
    made.mockRestore();
  });

  it.each(["dies", "refuses", "falls silent"] as const)(
    "leave reading to the caller once a worker %s, and ask none again",
    async (kind) => {
      for (const at of [0, 1, 2]) {
        const workers = fakeReadWorkers({ kind, at });
        const readers = readersOf(workers, { waitMs: 50 });
        const read = () => readers.read(blob.slice(0, 20), new Uint8Array(20), true);
        const found = await Promise.all([read(), read(), read()]);
        expect(found.filter((each) => each === undefined).length).toBeGreaterThan(0);
        expect(await read()).toBeUndefined();
        expect(workers.numOpen()).toBe(0);
        expect(workers.requests.flat()).toHaveLength(3);
        await readers.closeFile("x");
        await readers.close();
        expect(workers.numOpen()).toBe(0);
      }
    },
  );

  it("are tried again after close", async () => {
    const workers = fakeReadWorkers();
    const readers = readersOf(workers, { waitMs: 20 });
    const read = () => readers.read(blob.slice(0, 20), new Uint8Array(20), false);
    const held = workers.hold();
    expect(await read()).toBeUndefined();
    held.release();
    expect(await read()).toBeUndefined();
    await readers.close();
    expect(await read()).toBeDefined();
    await readers.close();
  });

  it("leave reading to the caller where no worker can be started", async () => {
    const openPort = vi.fn(() => {
      throw new Error("refused by a policy");
    });
    const readers = createReaders({ openPort, numWorkers: 2, leastBytes: 0 });
    expect(await readers.read(blob, new Uint8Array(1000), false)).toBeUndefined();
    expect(await readers.read(blob, new Uint8Array(1000), false)).toBeUndefined();
    expect(openPort).toHaveBeenCalledTimes(1);
  });

  it("leave bytes that are not there to the caller, and go on with others", async () => {
    const workers = fakeReadWorkers();
    const readers = readersOf(workers);
    expect(await readers.read({ name: "x", startBytes: 0 }, new Uint8Array(20), false)).toBeUndefined();
    expect(await readers.read(blob.slice(0, 20), new Uint8Array(21), false)).toBeUndefined();
    expect(await readers.read(blob.slice(0, 20), new Uint8Array(20), false)).toBeDefined();
    expect(workers.numOpen()).toBe(1);
  });

  it("end with close, also where a worker answers nothing, and begin anew", async () => {
    vi.useFakeTimers();
    const workers = fakeReadWorkers();
    const readers = readersOf(workers);
    const held = workers.hold();
    const read = readers.read(blob.slice(0, 20), new Uint8Array(20), false);
    await vi.advanceTimersByTimeAsync(10);
    const closed = readers.close();
    await vi.advanceTimersByTimeAsync(1000);
    await closed;
    expect(await read).toBeUndefined();
    expect(workers.numOpen()).toBe(0);
    held.release();
    vi.useRealTimers();
    const target = new Uint8Array(20);
    expect(await readers.read(blob.slice(5, 25), target, false)).toBeDefined();
    expect(target).toEqual(part(5, 20));
    await readers.close();
    expect(workers.numOpen()).toBe(0);
  });
});

describe("the store in the private file system, with readers", () => {
  const ref = (index: number) => ({ id: "m", file: "f", index, startBytes: 100 * index });
  const open = async (workers: Workers) => {
    const fake = createFakeOpfs();
    const readers = { openPort: workers.open, numWorkers: 2, leastBytes: 10, waitMs: 50 };
    const store = createOpfsStore(async () => fake.root, { lockWaitMs: 500, readers });
    for (const index of [0, 1, 2]) await store.putChunk(ref(index), part(100 * index, 100), "d");
    await store.release("m");
    return { fake, store };
  };
  const read = async (store: Awaited<ReturnType<typeof open>>["store"], index: number) => {
    const target = new Uint8Array(100);
    return (await store.readInto(ref(index), 0, target)) ? target : undefined;
  };

  it("reads by workers, several of them at the same file, and by itself what it has written", async () => {
    const workers = fakeReadWorkers();
    const { store } = await open(workers);
    const found = await Promise.all([0, 1, 2].map((index) => read(store, index)));
    expect(found).toEqual([0, 1, 2].map((index) => part(100 * index, 100)));
    expect(workers.requests.flat().filter((kind) => kind === "read")).toHaveLength(3);
    await store.putChunk(ref(1), part(700, 100), "e"); // the workers let go of the file
    expect(await read(store, 1)).toEqual(part(700, 100));
    expect(workers.requests.flat().filter((kind) => kind === "read")).toHaveLength(3);
    await store.release("m");
    expect(workers.numOpen()).toBe(0);
    expect(await read(store, 1)).toEqual(part(700, 100));
    expect(workers.requests.flat().filter((kind) => kind === "read")).toHaveLength(4);
  });

  it("writes and deletes while workers read, and loses nothing", async () => {
    const { store } = await open(fakeReadWorkers());
    const work = Array.from({ length: 30 }, (_, i) =>
      i % 7 === 3 ? store.putChunk(ref(2), part(i, 100), "d") : read(store, i % 2),
    );
    const found = await Promise.all(work);
    found.forEach((bytes, i) => {
      if (i % 7 !== 3) expect(bytes).toEqual(part(100 * (i % 2), 100));
    });
    await store.release("m");
    expect(await read(store, 2)).toEqual(part(24, 100));
    await store.deleteFile("m", "f");
    expect(await read(store, 0)).toBeUndefined();
    await store.deleteModel("m");
  });

  it.each(["dies", "refuses", "falls silent"] as const)(
    "reads, writes and deletes by itself where a worker %s",
    async (kind) => {
      for (const at of [0, 1, 3]) {
        const workers = fakeReadWorkers({ kind, at });
        const { store } = await open(workers);
        const found = await Promise.all([0, 1, 2].map((index) => read(store, index)));
        expect(found).toEqual([0, 1, 2].map((index) => part(100 * index, 100)));
        await store.putChunk(ref(1), part(700, 100), "e"); // once the browser has freed what the worker had open
        expect(await read(store, 1)).toEqual(part(700, 100));
        await store.deleteFile("m", "f");
        await store.deleteModel("m");
        expect(workers.numOpen()).toBe(0);
      }
    },
  );

  it("leaves no worker and no lock where it is released in the midst of reads", async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const workers = fakeReadWorkers();
      const { fake, store } = await open(workers);
      const reads = [0, 1, 2].map((index) => read(store, index));
      for (let i = 0; i < turns; i += 1) await Promise.resolve();
      await store.release("m");
      await Promise.all(reads);
      await store.release("m");
      expect(workers.numOpen()).toBe(0);
      await createOpfsStore(async () => fake.root, { lockWaitMs: 100 }).deleteModel("m");
    }
  });

  it("takes a file that ends early for a lost chunk", async () => {
    const { fake, store } = await open(fakeReadWorkers());
    for (const [path, bytes] of fake.files()) if (path.endsWith("data-f")) bytes.fill(0);
    expect(await read(store, 0)).toEqual(new Uint8Array(100));
    fake.clear();
    await store.release("m").catch(() => {});
    expect(await read(store, 0)).toBeUndefined();
  });
});
