import type { StoredFile } from "./chunk-store.ts";
import { chunkRange, chunkRef, sha256 } from "./chunks.ts";
import { type HealOptions, healChunk } from "./heal-chunk.ts";

export type ChunkReaderOptions = HealOptions;

/**
 * Reads one stored chunk and, unless told otherwise, checks its SHA-256. A chunk that is lost or damaged is fetched
 * again, proved to be the one that was stored, and stored.
 * @throws checksum-mismatch with details {file, chunk} | storage-full | storage-failed | busy
 */
export async function readChunk(
  options: ChunkReaderOptions,
  file: StoredFile,
  index: number,
  check = true,
): Promise<Uint8Array<ArrayBuffer>> {
  const { store, model } = options;
  const found = await store.getChunk(chunkRef(model, file, index));
  const { startBytes, endBytes } = chunkRange(file.sizeBytes, model.chunkBytes, index);
  const isWhole = found.bytes?.byteLength === endBytes - startBytes;
  if (isWhole && found.bytes !== undefined && (!check || found.digest === (await sha256(found.bytes))))
    return found.bytes;
  return healChunk(options, file, index, found);
}
