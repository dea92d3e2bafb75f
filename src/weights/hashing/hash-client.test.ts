import { afterEach, describe, expect, it, vi } from "vitest";
import { fakeHashWorkers } from "../../testing/fake-hash-worker.ts";
import { sha256Hex } from "../../testing/memory-remote.ts";
import { WorkerLost } from "../worker-line.ts";
import { createHashClient } from "./hash-client.ts";
import { createHashing } from "./hashing.ts";

const bytes = (length: number, first: number) =>
  Uint8Array.from({ length }, (_, i) => (first + i * 31) % 256);
const joined = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

afterEach(() => void vi.useRealTimers());

describe("a hash client", () => {
  it("hashes one file after the other, and goes on from a state", async () => {
    const client = createHashClient(fakeHashWorkers().open());
    await client.start(undefined);
    const [state] = await Promise.all([client.update(bytes(100, 1)), client.update(bytes(77, 2))]);
    expect(await client.digest()).toBe(sha256Hex(joined(bytes(100, 1), bytes(77, 2))));
    await client.start(state);
    await client.update(bytes(64, 3));
    expect(await client.digest()).toBe(sha256Hex(joined(bytes(100, 1), bytes(64, 3))));
    await client.start(undefined);
    expect(await client.digest()).toBe(sha256Hex(new Uint8Array()));
    client.close();
  });

  it.each(["dies", "refuses", "falls silent"] as const)(
    "settles every call to a worker that %s",
    async (kind) => {
      const workers = fakeHashWorkers({ kind, at: 1 });
      const client = createHashClient(workers.open(), 500);
      await client.start(undefined);
      const calls = await Promise.allSettled([client.update(bytes(9, 0)), client.update(bytes(9, 0))]);
      for (const call of calls) expect(call).toMatchObject({ reason: expect.any(WorkerLost) });
      await expect(client.digest()).rejects.toThrow(/hash worker is lost/);
      expect(workers.numOpen()).toBe(0);
    },
  );

  it("waits 30 s for each answer anew, and no longer", async () => {
    const workers = fakeHashWorkers();
    const client = createHashClient(workers.open());
    await client.start(undefined);
    vi.useFakeTimers();
    for (let i = 0; i < 4; i += 1) {
      const held = workers.hold();
      const call = client.update(bytes(10, i));
      await vi.advanceTimersByTimeAsync(29_000);
      held.release();
      await vi.advanceTimersByTimeAsync(10);
      expect(await call).toBeInstanceOf(Uint8Array);
    }
    workers.hold();
    const lost = expect(client.digest()).rejects.toThrow("no answer for 30 s");
    await vi.advanceTimersByTimeAsync(30_000);
    await lost;
    expect(workers.numOpen()).toBe(0);
  });

  it("is aborted by its end, also where nothing answers", async () => {
    const client = createHashClient(fakeHashWorkers({ kind: "falls silent", at: 0 }).open());
    const started = client.start(undefined);
    client.close();
    await expect(started).rejects.toMatchObject({ code: "aborted" });
    await expect(client.digest()).rejects.toMatchObject({ code: "aborted" });
  });
});

describe("hashing", () => {
  it("takes a worker that is done for the next file, and another for a file beside it", async () => {
    const workers = fakeHashWorkers();
    const hashing = createHashing({ openPort: workers.open, maxWaiting: 1 });
    const [one, two] = [await hashing.open(undefined), await hashing.open(undefined)];
    expect(workers.numOpen()).toBe(2);
    await one.digest();
    const three = await hashing.open(undefined);
    await three.update(bytes(5, 5));
    expect(await three.digest()).toBe(sha256Hex(bytes(5, 5)));
    expect(await two.digest()).toBe(sha256Hex(new Uint8Array()));
    expect(workers.numOpen()).toBe(2);
    hashing.close();
    expect(workers.numOpen()).toBe(0);
    await expect(hashing.open(undefined)).rejects.toMatchObject({ code: "aborted" });
  });

  it("lets those that wait for room go when it is closed", async () => {
    const hashing = createHashing({ maxWaiting: 1 });
    hashing.room.take();
    await hashing.room.notOverfull();
    hashing.room.take();
    const waiting = hashing.room.notOverfull();
    hashing.close();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await expect(hashing.room.notOverfull()).rejects.toMatchObject({ code: "aborted" });
  });
});
