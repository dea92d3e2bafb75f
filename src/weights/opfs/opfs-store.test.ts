import { describe, expect, it, vi } from "vitest";
import { createFakeOpfs, type FakeOpfs } from "../../testing/fake-opfs.ts";
import { fakeReadWorkers } from "../../testing/fake-read-worker.ts";
import { contractModel as model, storeContract } from "../../testing/store-contract.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { crc32 } from "./crc32.ts";
import { createOpfsStore } from "./opfs-store.ts";

const bytes = (...values: number[]) => new Uint8Array(values);
const ref = (index: number) => ({ id: "m", file: "f", index, startBytes: 4 * index });
const open = (fake: FakeOpfs, lockWaitMs = 0): ChunkStore =>
  createOpfsStore(async () => fake.root, { lockWaitMs });
const storedIndexes = async (store: ChunkStore) => [...(await store.listChunks("m", "f")).keys()];

describe("crc32", () => {
  it("is zlib's", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(bytes())).toBe(0);
  });
});

describe("createOpfsStore", () => {
  it.each(storeContract)("$name", async ({ run }) => {
    const fake = createFakeOpfs();
    await run(open(fake), () => open(fake));
  });
  it.each(storeContract)("$name, with reading workers", async ({ run }) => {
    const fake = createFakeOpfs();
    const workers = fakeReadWorkers();
    const readers = { openPort: workers.open, numWorkers: 2, leastBytes: 0 };
    const openWithReaders = () => createOpfsStore(async () => fake.root, { lockWaitMs: 0, readers });
    await run(openWithReaders(), openWithReaders);
  });
  it("keeps each checkpoint file as one file, its chunks in their places", async () => {
    const fake = createFakeOpfs();
    const store = open(fake);
    await store.putModel(model("m"));
    await store.putChunk(ref(2), bytes(9), "e");
    await store.putChunk(ref(0), bytes(1, 2, 3, 4), "d");
    const data = [...fake.files()].filter(([path]) => path.endsWith("/data-f"));
    expect(data.map(([, content]) => content)).toEqual([bytes(1, 2, 3, 4, 0, 0, 0, 0, 9)]);
  });
  it("loses nothing that was acknowledged, wherever it is killed, and names nothing that is not whole", async () => {
    const numChunks = 6;
    const content = (index: number) => bytes(index, index + 1, index + 2, index + 3);
    for (let changes = 0; ; changes += 1) {
      const fake = createFakeOpfs();
      const acknowledged: number[] = [];
      const store = open(fake);
      fake.dieAfter(changes);
      try {
        await store.putModel(model("m"));
        for (let index = 0; index < numChunks; index += 1) {
          await store.putChunk(ref(index), content(index), `d${index}`);
          acknowledged.push(index);
        }
      } catch (error) {
        expect(error).toMatchObject({ code: "storage-failed" });
      }
      const wasKilled = fake.isDead();
      fake.restart();
      const after = open(fake);
      const found = await storedIndexes(after);
      expect(found).toEqual(expect.arrayContaining(acknowledged));
      for (const index of found) expect((await after.getChunk(ref(index))).bytes).toEqual(content(index));
      // And it goes on from there.
      for (let index = 0; index < numChunks; index += 1)
        await after.putChunk(ref(index), content(index), "n");
      await after.release("m");
      expect(await storedIndexes(open(fake))).toHaveLength(numChunks);
      if (!wasKilled) break;
      expect(changes, "every change was tried").toBeLessThan(100);
    }
  });
  it.each([
    ["a line cut short", (journal: Uint8Array) => journal.subarray(0, -3)],
    [
      "a flipped bit in the last line",
      (journal: Uint8Array) => journal.map((byte, i) => (i === journal.length - 9 ? byte ^ 1 : byte)),
    ],
  ])("forgets what the journal says from %s on, and writes over it", async (_, damage) => {
    const fake = createFakeOpfs();
    const store = open(fake);
    for (const index of [0, 1, 2]) await store.putChunk(ref(index), bytes(index), `d${index}`);
    await store.release("m");
    const [path = "", journal = bytes()] =
      [...fake.files()].find(([name]) => name.endsWith("/journal")) ?? [];
    const folder = await fake.root.getDirectoryHandle(path.split("/")[0] ?? "");
    const file = await folder.getFileHandle("journal");
    const handle = await (
      file as unknown as {
        createSyncAccessHandle(): Promise<
          FileSystemWritableFileStream & { write(b: Uint8Array, o: { at: number }): number; close(): void }
        >;
      }
    ).createSyncAccessHandle();
    await handle.truncate(0);
    handle.write(damage(journal), { at: 0 });
    handle.close();
    const after = open(fake);
    expect(await storedIndexes(after)).toEqual([0, 1]);
    await after.putChunk(ref(3), bytes(3), "d3");
    await after.release("m");
    expect(await storedIndexes(open(fake))).toEqual([0, 1, 3]);
  });
  it("loses what a damaged journal line says, nothing else, and can be deleted whatever is damaged", async () => {
    const numChunks = 5;
    const filled = async () => {
      const fake = createFakeOpfs();
      const store = open(fake);
      await store.putModel(model("m"));
      for (let index = 0; index < numChunks; index += 1) await store.putChunk(ref(index), bytes(index), "d");
      await store.release("m");
      const journal = [...fake.files()].find(([name]) => name.endsWith("/journal"))?.[1] ?? bytes();
      return { fake, journal };
    };
    const lineEnds = [...(await filled()).journal].flatMap((byte, at) => (byte === 10 ? [at] : []));
    expect(lineEnds).toHaveLength(1 + numChunks);
    for (const [line, end] of lineEnds.entries()) {
      for (const at of [end - 20, end]) {
        const { fake, journal } = await filled();
        journal[at] = (journal[at] ?? 0) ^ 1;
        const after = open(fake);
        // Without its line feed, a line takes the next one with it.
        const lost = at === end ? [line - 1, line] : [line - 1];
        const expected = [0, 1, 2, 3, 4].filter((index) => !lost.includes(index));
        expect(await storedIndexes(after), `line ${line}`).toEqual(expected);
        const [listed, ...others] = await after.listModels();
        expect(others).toEqual([]);
        if (line > 0) expect(listed).toEqual(model("m"));
        else expect(listed).toMatchObject({ ready: false, files: [{ name: "f", sizeBytes: 17 }] });
        await after.putChunk(ref(5), bytes(5), "d5");
        await after.release("m");
        expect(await storedIndexes(open(fake)), "and goes on from there").toEqual([...expected, 5]);
        const last = open(fake);
        expect(await last.getModel(listed?.id ?? "")).toMatchObject({ id: listed?.id });
        await last.deleteModel(listed?.id ?? "");
        expect(fake.usedBytes()).toBe(0);
      }
    }
  });
  it("takes no chunks over whose record was lost", async () => {
    const fake = createFakeOpfs();
    const store = open(fake);
    await store.putModel(model("m"));
    await store.putChunk(ref(0), bytes(1), "d");
    await store.release("m");
    const [, journal = bytes()] = [...fake.files()].find(([name]) => name.endsWith("/journal")) ?? [];
    journal[20] = (journal[20] ?? 0) ^ 1;
    expect(await store.getModel("m")).toBeUndefined();
    await store.putModel(model("m"));
    expect(await storedIndexes(store)).toEqual([]);
    await store.putChunk(ref(1), bytes(1), "d");
    await store.putModel(model("m", { ready: true }));
    expect(await storedIndexes(store)).toEqual([1]);
  });
  it("lists no folder that holds nothing", async () => {
    const fake = createFakeOpfs();
    const store = open(fake);
    expect(await store.getText("m", "config.json")).toBeUndefined(); // makes the folder
    await store.putText("m", "config.json", "{}");
    expect(await store.listModels()).toEqual([]);
  });
  it("reads while another tab writes, and says busy where both write", async () => {
    const fake = createFakeOpfs();
    const [writer, other] = [open(fake), open(fake)];
    await writer.putModel(model("m"));
    await writer.putChunk(ref(0), bytes(1), "d");
    expect((await other.getModel("m"))?.id).toBe("m");
    expect(await other.listModels()).toHaveLength(1);
    const refused = { code: "busy", details: { reason: "stored-model-in-use" } };
    await expect(other.putChunk(ref(1), bytes(1), "d")).rejects.toMatchObject(refused);
    await expect(other.deleteModel("m")).rejects.toMatchObject(refused);
    await writer.release("m");
    await other.putChunk(ref(1), bytes(2), "e");
    await other.release("m");
    expect(await storedIndexes(writer)).toEqual([0, 1]);
    const readers = [open(fake), open(fake)];
    for (const reader of readers) expect((await reader.getChunk(ref(1))).bytes).toEqual(bytes(2));
  });
  it("reports a full disk as storage-full, keeps what is stored, and goes on when there is room", async () => {
    const fake = createFakeOpfs();
    const store = open(fake);
    await store.putModel(model("m"));
    await store.putChunk(ref(0), bytes(1, 2, 3, 4), "d");
    fake.quotaBytes = fake.usedBytes() + 2;
    await expect(store.putChunk(ref(1), bytes(1, 2, 3, 4), "d")).rejects.toMatchObject({
      code: "storage-full",
    });
    fake.quotaBytes += 10; // the chunk fits, its line in the journal does not
    await expect(store.putChunk(ref(1), bytes(1, 2, 3, 4), "d")).rejects.toMatchObject({
      code: "storage-full",
    });
    expect(await storedIndexes(store)).toEqual([0]);
    fake.quotaBytes = Number.POSITIVE_INFINITY;
    await store.putChunk(ref(1), bytes(1, 2, 3, 4), "d");
    expect(await storedIndexes(store)).toEqual([0, 1]);
  });
  it("takes a disk that writes only a part for a full one", async () => {
    const fake = createFakeOpfs();
    const file = await (
      (await fake.root.getFileHandle("x", { create: true })) as unknown as {
        createSyncAccessHandle(): Promise<object>;
      }
    ).createSyncAccessHandle();
    const { writeAll } = await import("./model-folder.ts");
    const short = { ...file, write: vi.fn(() => 3) };
    expect(() => writeAll(short, bytes(1, 2, 3, 4), 0)).toThrow(
      expect.objectContaining({ name: "QuotaExceededError" }),
    );
  });
  it("finds nothing after site data was cleared under it, and stores anew", async () => {
    const fake = createFakeOpfs();
    const store = open(fake);
    await store.putModel(model("m"));
    await store.putChunk(ref(0), bytes(1), "d");
    fake.clear();
    // Files that are not open: the folder is gone, which several find at once.
    const others = ["g", "h", "i"].map((file) => ({ ...ref(0), file }));
    await Promise.all(others.map((other) => store.putChunk(other, bytes(2), "e")));
    await store.release("m");
    expect(await store.getModel("m")).toBeUndefined();
    expect(await storedIndexes(store)).toEqual([]);
    for (const { file } of others) expect([...(await store.listChunks("m", file)).keys()]).toEqual([0]);
  });
  it("waits for the files of a tab that is ending", async () => {
    const fake = createFakeOpfs();
    const [ending, next] = [open(fake), open(fake, 2000)];
    await ending.putChunk(ref(0), bytes(1), "d");
    setTimeout(() => void ending.release("m"), 100);
    await next.putChunk(ref(1), bytes(2), "e");
    expect(await storedIndexes(next)).toEqual([0, 1]);
  });
  it("leaves no file open where it is released in the midst of work", async () => {
    const fake = createFakeOpfs();
    const store = open(fake);
    const work = [0, 1, 2].map((index) => store.putChunk(ref(index), bytes(index), "d"));
    const released = [store.release("m"), store.release("m")];
    work.push(store.putChunk(ref(3), bytes(3), "d"));
    await Promise.all([...work, ...released]);
    expect(await storedIndexes(store)).toEqual([0, 1, 2, 3]);
    await store.release("m");
    await open(fake).putChunk(ref(4), bytes(4), "d"); // another tab finds nothing locked
  });
  it("says so where there is no private file system", async () => {
    await expect(createOpfsStore().getModel("m")).rejects.toThrow(/no origin private file system/);
  });
});
