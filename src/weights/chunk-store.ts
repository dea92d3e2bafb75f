import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import { EngineError } from "../errors.ts";
import { isClosedConnection, storageError } from "./storage-errors.ts";

/** The manifest record of a stored model: what its chunks and texts belong to. */
export interface StoredModel {
  /** Layout of this record and its keys. */
  readonly version: 1;
  readonly id: string;
  readonly chunkBytes: number;
  /** Weight files with what the server said of them. */
  readonly files: readonly StoredFile[];
  /** Names of the small files that are stored; other small files do not exist in this checkpoint. */
  readonly texts: readonly string[];
  /** True once every chunk and text is stored: nothing needs the network any more. */
  readonly ready: boolean;
}

export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** `null` where the server sends no ETag. */
  readonly etag: string | null;
}

export interface ChunkRef {
  readonly id: string;
  readonly file: string;
  readonly index: number;
}

/** A chunk as found; either part may have been lost. */
export interface FoundChunk {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** SHA-256 in hex of the bytes as they were fetched. */
  readonly digest: string | undefined;
}

/** Chunks of weight files, small files and manifest records. Every method throws storage-full | storage-failed. */
export interface ChunkStore {
  getModel(id: string): Promise<StoredModel | undefined>;
  putModel(model: StoredModel): Promise<void>;
  listModels(): Promise<StoredModel[]>;
  /** Removes the record, the texts and all chunks. */
  deleteModel(id: string): Promise<void>;
  getText(id: string, name: string): Promise<string | undefined>;
  putText(id: string, name: string, text: string): Promise<void>;
  /** Indexes of the chunks of a file that are complete, ascending. */
  listChunks(id: string, file: string): Promise<number[]>;
  getChunk(ref: ChunkRef): Promise<FoundChunk>;
  /** Stores bytes and digest together: a digest is never there without its chunk. */
  putChunk(ref: ChunkRef, bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<void>;
  deleteFile(id: string, file: string): Promise<void>;
}

// Keys: ["model", id], ["text", id, name], ["chunk", id, file, index], ["digest", id, file, index].
type Key = readonly [kind: "model" | "text" | "chunk" | "digest", ...rest: (string | number)[]];

/**
 * The store in IndexedDB. Digests lie beside the chunks, not in the model's record: a record rewritten for each
 * of 4 000 chunks would cost more than it says.
 */
export function createChunkStore(databaseName = "gpt-oss-webgpu"): ChunkStore {
  const run = openDatabase(databaseName);
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
  return {
    getModel: async (id) => asModel(await get("reading the list of models", ["model", id])),
    putModel: (model) => put("writing the list of models", [[["model", model.id], model]]),
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
        ["digest", id],
        ["chunk", id],
      ]),
    async getText(id, name) {
      const text = await get(`reading ${name}`, ["text", id, name]);
      return typeof text === "string" ? text : undefined;
    },
    putText: (id, name, text) => put(`storing ${name}`, [[["text", id, name], text]]),
    async listChunks(id, file) {
      const keys = await run<IDBValidKey[]>(`listing the chunks of ${file}`, "readonly", (store) =>
        promisifyRequest(store.getAllKeys(under(["digest", id, file]))),
      );
      return keys.map((key) => (Array.isArray(key) ? Number(key.at(-1)) : Number.NaN));
    },
    getChunk: ({ id, file, index }) =>
      run(`reading chunk ${index} of ${file}`, "readonly", async (store) => {
        const [bytes, digest] = await Promise.all([
          promisifyRequest<unknown>(store.get(["chunk", id, file, index])),
          promisifyRequest<unknown>(store.get(["digest", id, file, index])),
        ]);
        return {
          bytes: bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : undefined,
          digest: typeof digest === "string" ? digest : undefined,
        };
      }),
    putChunk: ({ id, file, index }, bytes, digest) =>
      put(`storing chunk ${index} of ${file}`, [
        [["chunk", id, file, index], wholeBuffer(bytes)],
        [["digest", id, file, index], digest],
      ]),
    deleteFile: (id, file) =>
      remove(`deleting ${file}`, [
        ["digest", id, file],
        ["chunk", id, file],
      ]),
  };
}

/** Keys that begin with `prefix`, itself included: arrays sort after strings and numbers in IndexedDB. */
function under(prefix: Key): IDBKeyRange {
  return IDBKeyRange.bound([...prefix], [...prefix, []]);
}

type Run = <T>(
  action: string,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => T | PromiseLike<T>,
) => Promise<T>;

function openDatabase(databaseName: string): Run {
  let database: UseStore | undefined;
  return async (action, mode, use) => {
    if (typeof indexedDB === "undefined") {
      throw new EngineError("storage-failed", "IndexedDB is not available here, so models cannot be stored.");
    }
    for (let retried = false; ; retried = true) {
      database ??= createStore(databaseName, "chunks");
      try {
        return await database(mode, use);
      } catch (error) {
        // idb-keyval keeps the connection it opened; one that was closed under it must be replaced.
        if (!isClosedConnection(error)) throw storageError(action, error);
        database = undefined;
        if (retried) throw storageError(action, error);
      }
    }
  };
}

function asModel(value: unknown): StoredModel | undefined {
  const isRecord = typeof value === "object" && value !== null && "version" in value && value.version === 1;
  return isRecord ? (value as StoredModel) : undefined;
}

/** The bytes as an ArrayBuffer of their own, copied only where they are part of a larger one. */
function wholeBuffer(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}
