import { EngineError, throwIfAborted } from "../errors.ts";
import { type ChunkReaderOptions, readChunk } from "./chunk-reader.ts";
import type { ChunkStore, StoredFile } from "./chunk-store.ts";
import { chunkRange } from "./chunks.ts";
import type { CheckpointFiles, RemoteFiles } from "./types.ts";

/** Chunks kept in memory: the one being read and the next one. */
const maxCachedChunks = 2;

/**
 * The files of a stored model. Each chunk's SHA-256 is checked whenever it is read from storage; with `remote`
 * a lost or damaged chunk heals itself. While the caller works on one chunk, the next is read ahead, so reads in
 * file order are fast; at most two chunks are kept in memory.
 */
export function createCachedFiles(options: ChunkReaderOptions): CheckpointFiles {
  const { model } = options;
  const chunks = createChunkCache(options);
  const fileOf = (name: string): StoredFile => {
    const file = model.files.find((candidate) => candidate.name === name);
    if (file !== undefined) return file;
    throw new EngineError("checkpoint-invalid", `The stored model ${model.id} has no file ${name}.`, {
      details: { file: name },
    });
  };
  return {
    id: model.id,
    sizeBytes: async (name) => fileOf(name).sizeBytes,
    readText: (name, signal) => readStoredText(options, name, signal),
    async read(name, startBytes, endBytes, signal) {
      const file = fileOf(name);
      if (startBytes < 0 || startBytes > endBytes || endBytes > file.sizeBytes) {
        const range = `[${startBytes}, ${endBytes})`;
        throw new EngineError(
          "checkpoint-invalid",
          `${name} has ${file.sizeBytes} bytes; cannot read ${range}.`,
          {
            details: { file: name, startBytes, endBytes },
          },
        );
      }
      const target = new Uint8Array(endBytes - startBytes);
      let at = startBytes;
      while (at < endBytes) {
        throwIfAborted(signal);
        const index = Math.floor(at / model.chunkBytes);
        const chunk = await unlessAborted(chunks.get(file, index), signal);
        const chunkStart = index * model.chunkBytes;
        const piece = chunk.subarray(at - chunkStart, endBytes - chunkStart);
        target.set(piece, at - startBytes);
        at += piece.byteLength;
      }
      return target;
    },
  };
}

/**
 * The files of a model that is stored whole; `undefined` where it is not. Makes no request unless a chunk must be
 * repaired from `remote`.
 * @throws storage-failed
 */
export async function openStoredCheckpoint(
  store: ChunkStore,
  id: string,
  remote?: RemoteFiles,
): Promise<CheckpointFiles | undefined> {
  const model = await store.getModel(id);
  return model?.ready ? createCachedFiles({ store, model, remote }) : undefined;
}

async function readStoredText(
  { store, model, remote }: ChunkReaderOptions,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  throwIfAborted(signal);
  if (!model.texts.includes(name)) return undefined;
  const text = (await store.getText(model.id, name)) ?? (await remote?.readText(name, signal));
  if (text !== undefined) return text;
  throw new EngineError(
    "checksum-mismatch",
    `${name} is missing from the browser's storage; download the model again.`,
    {
      details: { file: name },
    },
  );
}

function createChunkCache(options: ChunkReaderOptions) {
  const cached = new Map<string, Promise<Uint8Array>>();
  let last: { readonly name: string; readonly index: number } | undefined;

  const load = (file: StoredFile, index: number): Promise<Uint8Array> => {
    const key = `${file.name}#${index}`;
    // No signal: a chunk may serve several readers, and one of them giving up must not fail the others.
    const chunk = cached.get(key) ?? readChunk(options, file, index);
    cached.delete(key);
    cached.set(key, chunk); // the most recent last
    chunk.catch(() => {
      if (cached.get(key) === chunk) cached.delete(key);
    });
    for (const oldest of cached.keys()) {
      if (cached.size <= maxCachedChunks) break;
      cached.delete(oldest);
    }
    return chunk;
  };

  return {
    async get(file: StoredFile, index: number): Promise<Uint8Array> {
      const isSequential = last?.name === file.name && (index === last.index || index === last.index + 1);
      last = { name: file.name, index };
      const chunk = await load(file, index);
      const { endBytes } = chunkRange(file.sizeBytes, options.model.chunkBytes, index);
      if (isSequential && endBytes < file.sizeBytes) void load(file, index + 1).catch(() => {});
      return chunk;
    },
  };
}

/** The promise, or `aborted` as soon as the signal fires. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new EngineError("aborted", "Reading the checkpoint was aborted."));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
