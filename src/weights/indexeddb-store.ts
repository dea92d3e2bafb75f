import { promisifyRequest } from "idb-keyval";
import type { ChunkRef, ChunkStore, FileHash, FoundChunk, StoredModel } from "./chunk-store.ts";
import { sha256 } from "./chunks.ts";
import { openDatabase } from "./indexed-database.ts";
import { readBlob } from "./read-blob.ts";
import { createReaders, type ReadersOptions } from "./reading/readers.ts";
import { isLostFile, storageError } from "./storage-errors.ts";

// Keys: ["model", id], ["text", id, name], ["chunk", id, file, index], ["digest", id, file, index],
// ["hash", id, file].
type Key = readonly [kind: "model" | "text" | "chunk" | "digest" | "hash", ...rest: (string | number)[]];

export interface IndexedDbStoreOptions {
  readonly openWaitMs?: number;
  /** Workers to read Blobs with; absent: reads on this thread. */
  readonly readers?: ReadersOptions | undefined;
}

/**
 * The store in IndexedDB. Chunks are Blobs, which Chromium reads several times as fast as ArrayBuffers (older versions
 * stored ArrayBuffers: both are read; read-blob.ts has how). Digests lie beside the chunks, not in the model's record: a record rewritten
 * for each of 4 000 chunks would cost more than it says.
 */
export function createIndexedDbStore(
  databaseName = "gpt-oss-webgpu",
  { openWaitMs, readers: readersOptions }: IndexedDbStoreOptions = {},
): ChunkStore {
  const run = openDatabase(databaseName, "chunks", openWaitMs);
  const readers = readersOptions && createReaders(readersOptions);
  const get = (action: string, key: Key) =>
    run<unknown>(action, "readonly", (store) => promisifyRequest(store.get([...key])));
  const put = (action: string, entries: readonly (readonly [Key, unknown])[]) =>
    run(action, "readwrite", (store) => {
      for (const [key, value] of entries) store.put(value, [...key]);
      return promisifyRequest(store.transaction);
    });
  const remove = (action: string, prefixes: readonly Key[]) =>
    run(action, "readwrite", (store) => {
      for (const prefix of prefixes) store.delete(under(prefix));
      return promisifyRequest(store.transaction);
    });
  const findChunk = ({ id, file, index }: ChunkRef) =>
    run(`reading chunk ${index} of ${file}`, "readonly", async (store) => {
      const [value, digest] = await Promise.all([
        promisifyRequest<unknown>(store.get(["chunk", id, file, index])),
        promisifyRequest<unknown>(store.get(["digest", id, file, index])),
      ]);
      return { value, digest: typeof digest === "string" ? digest : undefined };
    });
  /** Fills `target` with a stored chunk's bytes from `skipBytes` on; undefined where they are lost. */
  async function read(value: unknown, skipBytes: number, target: Uint8Array, wantsDigest: boolean) {
    const endBytes = skipBytes + target.byteLength;
    if (readers !== undefined && value instanceof Blob && value.size >= endBytes) {
      const found = await readers.read(value.slice(skipBytes, endBytes), target, wantsDigest);
      if (found !== undefined) return found;
    }
    if (!(await readValue(value, skipBytes, target))) return undefined;
    return { digest: wantsDigest ? await sha256(target as Uint8Array<ArrayBuffer>) : undefined };
  }

  return {
    kind: "indexeddb",
    getModel: async (id) => asModel(await get("reading the list of models", ["model", id])),
    putModel: (model) => run("writing the list of models", "readonly", (store) => putDurably(store, model)),
    async listModels() {
      const records = await run<unknown[]>("reading the list of models", "readonly", (store) =>
        promisifyRequest(store.getAll(under(["model"]))),
      );
      return records.map(asModel).filter((model) => model !== undefined);
    },
    deleteModel: (id) =>
      remove("deleting a model", [
        ["model", id],
        ["text", id],
        ["hash", id],
        ["digest", id],
        ["chunk", id],
      ]),
    async getText(id, name) {
      const text = await get(`reading ${name}`, ["text", id, name]);
      return typeof text === "string" ? text : undefined;
    },
    putText: (id, name, text) => put(`storing ${name}`, [[["text", id, name], text]]),
    async listChunks(id, file) {
      const range = under(["digest", id, file]);
      const [keys, values] = await run(`listing the chunks of ${file}`, "readonly", (store) =>
        Promise.all([
          promisifyRequest<IDBValidKey[]>(store.getAllKeys(range)),
          promisifyRequest<unknown[]>(store.getAll(range)),
        ]),
      );
      return new Map(keys.map((key, i) => [Array.isArray(key) ? Number(key.at(-1)) : -1, String(values[i])]));
    },
    async getChunk(ref): Promise<FoundChunk> {
      const { value, digest } = await findChunk(ref);
      const sizeBytes = sizeOf(value);
      const bytes = sizeBytes === undefined ? undefined : new Uint8Array(sizeBytes);
      const found = bytes && (await read(value, 0, bytes, false));
      return { bytes: found && bytes, digest };
    },
    async readInto(ref, skipBytes, target) {
      const { value } = await findChunk(ref);
      return (await read(value, skipBytes, target, false)) !== undefined;
    },
    async readWithDigest(ref, target) {
      const { value } = await findChunk(ref);
      return (await read(value, 0, target, true))?.digest;
    },
    putChunk: ({ id, file, index }, bytes, digest) =>
      put(`storing chunk ${index} of ${file}`, [
        [["chunk", id, file, index], new Blob([bytes])],
        [["digest", id, file, index], digest],
      ]),
    async getHash(id, file) {
      return asHash(await get(`reading the hash of ${file}`, ["hash", id, file]));
    },
    putHash: (id, file, hash) => put(`storing the hash of ${file}`, [[["hash", id, file], hash]]),
    deleteFile: (id, file) =>
      remove(`deleting ${file}`, [
        ["hash", id, file],
        ["digest", id, file],
        ["chunk", id, file],
      ]),
    release: async () => readers?.close(),
  };
}

/**
 * Writes a model's record so that it outlives a power cut as well: it says that chunks are there, and they were
 * written before it. (Transactions are flushed lazily otherwise, which only a power cut shows.)
 */
function putDurably({ transaction, name }: IDBObjectStore, model: StoredModel): Promise<void> {
  const strict = transaction.db.transaction(name, "readwrite", { durability: "strict" });
  strict.objectStore(name).put(model, ["model", model.id]);
  return promisifyRequest(strict);
}

/** Bytes of a stored chunk; undefined where it is none. */
function sizeOf(value: unknown): number | undefined {
  if (value instanceof Blob) return value.size;
  return value instanceof ArrayBuffer ? value.byteLength : undefined;
}

/** Fills `target` with a stored chunk's bytes from `skipBytes` on; false where they are lost, also where a Blob's file is. */
async function readValue(value: unknown, skipBytes: number, target: Uint8Array): Promise<boolean> {
  if ((sizeOf(value) ?? -1) < skipBytes + target.byteLength) return false;
  try {
    if (value instanceof Blob) await readBlob(value, skipBytes, target);
    if (value instanceof ArrayBuffer) target.set(new Uint8Array(value, skipBytes, target.byteLength));
    return true;
  } catch (error) {
    if (isLostFile(error)) return false;
    throw storageError("reading a chunk", error);
  }
}

/** Keys that begin with `prefix`, itself included: arrays sort after strings and numbers in IndexedDB. */
function under(prefix: Key): IDBKeyRange {
  return IDBKeyRange.bound([...prefix], [...prefix, []]);
}

function asModel(value: unknown): StoredModel | undefined {
  const isRecord = typeof value === "object" && value !== null && "version" in value && value.version === 1;
  return isRecord ? (value as StoredModel) : undefined;
}

function asHash(value: unknown): FileHash | undefined {
  const isHash =
    typeof value === "object" && value !== null && "state" in value && value.state instanceof Uint8Array;
  return isHash ? (value as FileHash) : undefined;
}
