import "fake-indexeddb/auto";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFakeOpfs } from "../testing/fake-opfs.ts";
import { type MemoryRemote, memoryRemote, sha256Hex } from "../testing/memory-remote.ts";
import type { ChunkStore, FoundChunk, StoredModel } from "./chunk-store.ts";
import { sha256 } from "./chunks.ts";
import { downloadCheckpoint } from "./download.ts";
import { exportModel } from "./export-model.ts";
import { createFileHasher } from "./hashing/file-hash.ts";
import { createHashing } from "./hashing/hashing.ts";
import * as wholeFileHash from "./hashing/sha256.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { repairModel } from "./repair-model.ts";
import { createCachedFiles } from "./stored-files.ts";
import type { ByteProgress } from "./types.ts";
import { verifyModel } from "./verify-model.ts";

const files = [
  "model-00000-of-00002.safetensors",
  "model-00001-of-00002.safetensors",
  "model-00002-of-00002.safetensors",
];
const [first = "", second = ""] = files;
const chunkBytes = 100_000;
let numStores = 0;
const spin = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};
afterEach(() => vi.restoreAllMocks());

describe.each([
  ["indexeddb", () => createIndexedDbStore(`verify-test-${numStores++}`)],
  [
    "opfs",
    () => {
      const { root } = createFakeOpfs();
      return createOpfsStore(async () => root);
    },
  ],
])("a model in %s", (_, newStore) => {
  let store: ChunkStore;
  let model: StoredModel;
  let remote: MemoryRemote;

  beforeEach(async () => {
    store = newStore();
    remote = memoryRemote("tiny-sharded", ["config.json", "model.safetensors.index.json", ...files]);
    model = await downloadCheckpoint({ remote, store, chunkBytes });
    remote.fetched.length = 0;
  });

  const ref = (file: string, index: number) => ({
    id: remote.id,
    file,
    index,
    startBytes: index * chunkBytes,
  });
  it.each<[string, (busy: ChunkStore) => Promise<unknown>]>([
    ["verified", (busy) => verifyModel({ store: busy, model })],
    ["read", (busy) => createCachedFiles({ store: busy, model }).read(second, 0, sizeOf(second))],
    [
      "hashed anew",
      async (busy) =>
        (
          await createFileHasher(
            { store: busy, model, hashing: createHashing({ maxWaiting: 1 }) },
            fileOf(second),
          )
        ).finish(),
    ],
  ])("lets messages be answered while it is %s, though nothing in it waits", async (_name, work) => {
    const digest = async (_: unknown, bytes: BufferSource) =>
      new Uint8Array(
        createHash("sha256")
          .update(bytes as Uint8Array)
          .digest(),
      ).buffer;
    vi.spyOn(crypto.subtle, "digest").mockImplementation(digest);
    const contents = new Map<string, FoundChunk>();
    for (const { name, sizeBytes } of model.files)
      for (let index = 0; index * chunkBytes < sizeBytes; index += 1)
        contents.set(`${name}#${index}`, await store.getChunk(ref(name, index)));
    const digests = await Promise.all(
      files.map(async (name) => [name, await store.listChunks(model.id, name)] as const),
    );
    const busy: ChunkStore = {
      ...store,
      getText: async () => "",
      putModel: async () => {},
      getHash: async () => undefined,
      putHash: async () => {},
      listChunks: async (_id, name) => new Map(digests.find(([known]) => known === name)?.[1]),
      getChunk: async ({ file, index }) => {
        spin(60);
        return contents.get(`${file}#${index}`) ?? { bytes: undefined, digest: undefined };
      },
      readInto: async ({ file, index }, skipBytes, target) => {
        spin(60);
        target.set(contents.get(`${file}#${index}`)?.bytes?.subarray(skipBytes) ?? []);
        return true;
      },
    };
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    });
    const startMs = performance.now();
    await work(busy);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(Math.floor((performance.now() - startMs) / 300));
  });
  const fileOf = (name: string) => {
    const file = model.files.find((one) => one.name === name);
    if (file === undefined) throw new Error(`no file ${name}`);
    return file;
  };
  const sizeOf = (name: string) => fileOf(name).sizeBytes;

  /** Rewrites a chunk as a failing disk would: the digest stays. */
  async function damage(
    file: string,
    index: number,
    change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ) {
    const { bytes, digest } = await store.getChunk(ref(file, index));
    if (bytes === undefined || digest === undefined) throw new Error("no such chunk");
    await store.putChunk(ref(file, index), change(bytes), digest);
  }
  const flip = (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte));

  it("is found whole, and remembers it", async () => {
    const loaded: ByteProgress[] = [];
    const report = await verifyModel({ store, model, onProgress: (progress) => loaded.push(progress) });
    expect(report).toMatchObject({ id: remote.id, ok: true, badTexts: [] });
    expect(report.files.map(({ sha256 }) => sha256)).toEqual(
      files.map((name) => sha256Hex(remote.files.get(name) ?? new Uint8Array())),
    );
    expect(loaded.at(-1)).toMatchObject({ phase: "verify", loadedBytes: loaded[0]?.totalBytes });
    expect((await store.getModel(remote.id))?.checked).toBe(true);
  });
  it("has a flipped bit, a truncated chunk and two swapped ones found and fetched again alone", async () => {
    await damage(first, 2, flip);
    await damage(first, 4, (bytes) => bytes.slice(0, -1));
    const [a, b] = [await store.getChunk(ref(second, 1)), await store.getChunk(ref(second, 3))];
    await damage(second, 1, () => b.bytes ?? new Uint8Array());
    await damage(second, 3, () => a.bytes ?? new Uint8Array());
    const found = await verifyModel({ store, model });
    expect(found.ok).toBe(false);
    expect(found.files.map(({ badChunks }) => badChunks)).toEqual([[2, 4], [1, 3], []]);
    expect((await store.getModel(remote.id))?.checked).toBeUndefined();
    const repaired = await repairModel({ store, model, remote });
    expect(repaired.ok).toBe(true);
    expect(remote.fetched).toEqual([
      `${first} 200000`,
      `${first} 400000`,
      `${second} 100000`,
      `${second} 300000`,
    ]);
  });
  it("has chunks found that were swapped together with their digests, and their file fetched again", async () => {
    const [a, b] = [await store.getChunk(ref(second, 1)), await store.getChunk(ref(second, 3))];
    for (const [index, { bytes = new Uint8Array(), digest = "" }] of [
      [1, b],
      [3, a],
    ] as const)
      await store.putChunk(ref(second, index), bytes, digest);
    const found = await verifyModel({ store, model });
    expect(found.files[1]).toMatchObject({
      ok: false,
      badChunks: [],
      expectedSha256: model.files[1]?.sha256,
    });
    expect((await repairModel({ store, model, remote })).ok).toBe(true);
    expect(new Set(remote.fetched.map((range) => range.split(" ")[0]))).toEqual(new Set([second]));
  });
  it("cannot be repaired where the source has other files now", async () => {
    await damage(first, 2, flip);
    remote.files.set(
      first,
      (remote.files.get(first) ?? new Uint8Array()).map((byte, i) => (i === 200_001 ? byte ^ 1 : byte)),
    );
    await expect(repairModel({ store, model, remote })).rejects.toMatchObject({ code: "checksum-mismatch" });
    expect((await verifyModel({ store, model })).files[0]?.badChunks).toEqual([2]);
  });
  it("is completed by a repair where a download was left", async () => {
    await store.putModel({ ...model, ready: false });
    await store.deleteFile(remote.id, second);
    const partial = { ...model, ready: false };
    expect(await verifyModel({ store, model: partial })).toMatchObject({ ok: false });
    expect((await repairModel({ store, model: partial, remote })).ok).toBe(true);
    expect((await store.getModel(remote.id))?.ready).toBe(true);
  });
  it("gets its SHA-256 recorded where an older version stored none", async () => {
    const old = {
      ...model,
      files: model.files.map(({ sha256: _sha256, chunksSha256: _chunksSha256, ...rest }) => rest),
    };
    await store.putModel(old);
    expect((await verifyModel({ store, model: old })).ok).toBe(true);
    expect((await store.getModel(remote.id))?.files).toEqual(model.files);
  });
  it("is hashed as whole files only where its chunks' digests are not those of the files", async () => {
    const hashed = vi.spyOn(wholeFileHash, "createSha256");
    expect(await verifyModel({ store, model })).toMatchObject({ ok: true });
    expect(hashed).not.toHaveBeenCalled();
    const older = { ...model, files: model.files.map(({ chunksSha256: _, ...rest }) => rest) };
    expect(await verifyModel({ store, model: older })).toMatchObject({ ok: true });
    expect(hashed).toHaveBeenCalledTimes(files.length);
    expect((await store.getModel(remote.id))?.files).toEqual(model.files);
  });
  it("stops checking at an abort", async () => {
    const signal = AbortSignal.abort();
    await expect(verifyModel({ store, model, signal })).rejects.toMatchObject({ code: "aborted" });
  });

  describe("exported", () => {
    it("is the files, byte for byte", async () => {
      const { folder, written } = fakeFolder();
      const loaded: ByteProgress[] = [];
      await exportModel({ store, model, folder, onProgress: (progress) => loaded.push(progress) });
      expect([...written.keys()].sort()).toEqual([...remote.files.keys()].sort());
      for (const [name, bytes] of remote.files)
        expect(await sha256(written.get(name) ?? new Uint8Array())).toBe(sha256Hex(bytes));
      expect(loaded.at(-1)).toMatchObject({ phase: "export", loadedBytes: loaded[0]?.totalBytes });
    });
    it("leaves no half file where a chunk is damaged", async () => {
      await damage(second, 1, flip);
      const { folder, written } = fakeFolder();
      await expect(exportModel({ store, model, folder })).rejects.toMatchObject({
        code: "checksum-mismatch",
        details: { file: second, chunk: 1 },
      });
      expect(written.has(first)).toBe(true);
      expect(written.has(second)).toBe(false);
    });
    it("keeps a file that was there before, where the new one fails", async () => {
      await damage(second, 1, flip);
      const { folder, written } = fakeFolder();
      const before = new Uint8Array([1]);
      written.set(second, before);
      await expect(exportModel({ store, model, folder })).rejects.toMatchObject({
        code: "checksum-mismatch",
      });
      expect(written.get(second)).toBe(before);
    });
    it("leaves out a small file that is damaged, and says so", async () => {
      await store.putText(model.id, "config.json", "{}");
      const { folder, written } = fakeFolder();
      await expect(exportModel({ store, model, folder })).rejects.toMatchObject({
        code: "checksum-mismatch",
        details: { file: "config.json" },
      });
      expect([...written.keys()]).toEqual([]);
    });
    it.each([
      ["QuotaExceededError", "storage-full"],
      ["NotAllowedError", "storage-failed"],
    ])("fails as %s is known: %s", async (name, code) => {
      const { folder, written } = fakeFolder(name);
      await expect(exportModel({ store, model, folder })).rejects.toMatchObject({ code });
      expect([...written.keys()]).toEqual([]);
    });
    it("is refused before it is downloaded", async () => {
      const { folder } = fakeFolder();
      await expect(exportModel({ store, model: { ...model, ready: false }, folder })).rejects.toMatchObject({
        code: "request-invalid",
      });
    });
  });
});

/** A folder that the user picked: files appear empty, and get what is written when they are closed. */
function fakeFolder(failure?: string) {
  const written = new Map<string, Uint8Array<ArrayBuffer>>();
  async function createWritable(name: string) {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    return {
      async write(bytes: Uint8Array<ArrayBuffer>) {
        if (failure !== undefined) throw new DOMException("", failure);
        parts.push(bytes.slice());
      },
      close: async () => void written.set(name, new Uint8Array(Buffer.concat(parts))),
      abort: async () => {},
    };
  }
  const folder = {
    name: "picked",
    async getFileHandle(name: string, { create = false } = {}) {
      if (!written.has(name) && !create) throw new DOMException("", "NotFoundError");
      if (!written.has(name)) written.set(name, new Uint8Array());
      return { createWritable: () => createWritable(name) };
    },
    removeEntry: async (name: string) => void written.delete(name),
  };
  return { folder: folder as unknown as FileSystemDirectoryHandle, written };
}
