import { EngineError, isEngineError } from "../errors.ts";
import type { ChunkStore, FoundChunk, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, chunkRef, sha256 } from "./chunks.ts";
import type { RemoteFiles } from "./types.ts";

export interface ChunkReaderOptions {
  readonly store: ChunkStore;
  readonly model: StoredModel;
  /** Where a lost or damaged chunk is fetched again. Without it such a chunk is an error. */
  readonly remote?: RemoteFiles | undefined;
}

/**
 * Reads one stored chunk and, unless told otherwise, checks its SHA-256. A chunk that is lost or damaged is fetched
 * again, checked against the digest of the first download, and stored.
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

/** Fetches a lost or damaged chunk again and stores it. @throws checksum-mismatch and what the store throws */
export async function healChunk(
  { store, model, remote }: ChunkReaderOptions,
  file: StoredFile,
  index: number,
  found: FoundChunk,
): Promise<Uint8Array<ArrayBuffer>> {
  const damage =
    found.bytes === undefined
      ? "is missing from the browser's storage"
      : "is damaged in the browser's storage";
  const place = { file: file.name, chunk: index };
  if (remote === undefined)
    throw mismatch(`Chunk ${index} of ${file.name} ${damage}; download the model again.`, place);
  try {
    return await fetchAgain({ store, model, remote }, file, index, found);
  } catch (cause) {
    if (!isEngineError(cause, "download-failed")) throw cause;
    const message = `Chunk ${index} of ${file.name} ${damage}, and fetching it again failed: ${cause.message}`;
    throw mismatch(message, { ...place, ...cause.details }, cause);
  }
}

async function fetchAgain(
  { store, model, remote }: Required<ChunkReaderOptions> & { readonly remote: RemoteFiles },
  file: StoredFile,
  index: number,
  found: FoundChunk,
): Promise<Uint8Array<ArrayBuffer>> {
  const place = { file: file.name, chunk: index };
  const changed = () =>
    mismatch(
      `Chunk ${index} of ${file.name} is lost or damaged, and the file at ${remote.id} is not the one that was stored any more. Delete the stored model and download it again.`,
      place,
    );
  if (found.digest === undefined) {
    // Nothing left to compare the bytes with, so the server must vouch that it is the same file.
    const stat = await remote.stat(file.name);
    if (stat.sizeBytes !== file.sizeBytes || (stat.etag ?? null) !== file.etag) throw changed();
  }
  const bytes = await remote.fetchRange(file.name, chunkRange(file.sizeBytes, model.chunkBytes, index));
  const digest = await sha256(bytes);
  if (found.digest !== undefined && digest !== found.digest) throw changed();
  await store.putChunk(chunkRef(model, file, index), bytes, digest);
  return bytes;
}

function mismatch(message: string, details: Record<string, string | number>, cause?: unknown): EngineError {
  return new EngineError("checksum-mismatch", message, { details, cause });
}
