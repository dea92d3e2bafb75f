import { type ChunkReaderOptions, readChunk } from "./chunk-reader.ts";
import type { StoredFile } from "./chunk-store.ts";
import { numChunks } from "./chunks.ts";
import type { ChunkChoice } from "./verify-mode.ts";

/** Memory for chunks that are read ahead or read once and used twice. */
const cachedBytes = 96 * 1024 * 1024;
/** Chunks read at once ahead of the caller: enough to keep the storage and several digests busy. */
const maxAhead = 4;

/** Whole chunks in memory, each read once while callers go through a file in order. */
export interface ChunkCache {
  get(file: StoredFile, index: number): Promise<Uint8Array>;
  clear(): void;
}

/** Reads chunks, checks those that `choice` names, and reads ahead of a caller that goes on where it was. */
export function createChunkCache(options: ChunkReaderOptions, choice: ChunkChoice): ChunkCache {
  const { store, model } = options;
  const cached = new Map<string, Promise<Uint8Array>>();
  const maxCached = Math.max(2, Math.floor(cachedBytes / model.chunkBytes));
  const ahead = Math.min(maxAhead, maxCached - 1);
  let last: { readonly name: string; readonly index: number } | undefined;

  async function read(file: StoredFile, index: number): Promise<Uint8Array> {
    const check = choice.mustCheck(file.name, index);
    const chunk = await readChunk(options, file, index, check);
    if (check) choice.noteChecked(file.name, index);
    return chunk;
  }

  function load(file: StoredFile, index: number): Promise<Uint8Array> {
    const key = `${file.name}#${index}`;
    // No signal: a chunk may serve several readers, and one of them giving up must not fail the others.
    const chunk = cached.get(key) ?? read(file, index);
    cached.delete(key);
    cached.set(key, chunk); // the most recent last
    chunk.catch(() => {
      if (cached.get(key) === chunk) cached.delete(key);
    });
    for (const oldest of cached.keys()) {
      if (cached.size <= maxCached) break;
      cached.delete(oldest);
    }
    return chunk;
  }

  /** Whether the caller goes through this file: it asks for the chunk it had, or one of the next. */
  function isInOrder(name: string, index: number): boolean {
    return last?.name === name && index >= last.index && index <= last.index + ahead;
  }

  return {
    get(file, index) {
      const readsOn = isInOrder(file.name, index);
      last = { name: file.name, index };
      const chunk = load(file, index);
      const count = numChunks(file.sizeBytes, model.chunkBytes);
      for (let next = index + 1; readsOn && next <= Math.min(index + ahead, count - 1); next += 1) {
        // Chunks that are read in place need none of this, unless they are to be checked.
        if (!store.readsInPlace || choice.mustCheck(file.name, next)) void load(file, next).catch(() => {});
      }
      return chunk;
    },
    clear: () => cached.clear(),
  };
}
