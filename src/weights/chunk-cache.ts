import { type ChunkReaderOptions, readChunk } from "./chunk-reader.ts";
import type { StoredFile } from "./chunk-store.ts";
import type { ChunkChoice } from "./verify-mode.ts";

/** Memory for chunks that are read once and used in parts. */
const cachedBytes = 64 * 1024 * 1024;

/** Whole chunks in memory, each read once while callers go through a file in order. */
export interface ChunkCache {
  get(file: StoredFile, index: number): Promise<Uint8Array>;
  clear(): void;
}

/** Reads chunks and checks those that `choice` names. */
export function createChunkCache(options: ChunkReaderOptions, choice: ChunkChoice): ChunkCache {
  const { model } = options;
  const cached = new Map<string, Promise<Uint8Array>>();
  const maxCached = Math.max(2, Math.floor(cachedBytes / model.chunkBytes));

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

  return { get: load, clear: () => cached.clear() };
}
