import { EngineError, isEngineError } from "../errors.ts";
import type { ChunkStore, FoundChunk, StoredFile, StoredModel } from "./chunk-store.ts";
import { chunkRange, chunkRef, digestOfDigests, numChunks, sha256 } from "./chunks.ts";
import { compareVersions, storedFile } from "./file-version.ts";
import type { RemoteFiles } from "./types.ts";

export interface HealOptions {
  readonly store: ChunkStore;
  readonly model: StoredModel;
  /** Where a lost or damaged chunk is fetched again. Without it such a chunk is an error. */
  readonly remote?: RemoteFiles | undefined;
}

/** Chunks that lost their digests are proved together, so all of them are in memory at once: at most this much. */
const mostHeldBytes = 64 * 1024 * 1024;

/**
 * Fetches a lost or damaged chunk again and stores it, once it is proved to be the one that was stored: by its digest,
 * or, where that is lost too, by the digest of the file's chunk digests. Where an older version kept neither, the server
 * must show the ETag (or the time of change) of the first download.
 * @throws checksum-mismatch with details {file, chunk}, and what the store throws
 */
export async function healChunk(
  { store, model, remote }: HealOptions,
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
  const healing: Healing = { store, model, remote, file, index };
  try {
    await requireStored(healing);
    if (found.digest !== undefined) return await fetchKnown(healing, found.digest);
    if (model.ready && file.chunksSha256 !== undefined) return await fetchLost(healing, file.chunksSha256);
    return await fetchVouched(healing);
  } catch (cause) {
    if (!isEngineError(cause, "download-failed")) throw cause;
    const message = `Chunk ${index} of ${file.name} ${damage}, and fetching it again failed: ${cause.message}`;
    throw mismatch(message, { ...place, ...cause.details }, cause);
  }
}

interface Healing extends Required<HealOptions> {
  readonly remote: RemoteFiles;
  readonly file: StoredFile;
  readonly index: number;
}

interface FetchedChunk {
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;
}

/** A chunk whose digest is still there. */
async function fetchKnown(healing: Healing, digest: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunk = await fetchChunk(healing, healing.index);
  if (chunk.digest !== digest) throw changed(healing);
  await storeChunk(healing, chunk);
  return chunk.bytes;
}

/** A chunk whose digest is lost: together with the file's others it must give the digest of digests. */
async function fetchLost(healing: Healing, chunksSha256: string): Promise<Uint8Array<ArrayBuffer>> {
  const { store, model, file, index } = healing;
  const count = numChunks(file.sizeBytes, model.chunkBytes);
  const digests = new Map(await store.listChunks(model.id, file.name));
  digests.delete(index);
  const lost = Array.from({ length: count }, (_, i) => i).filter((i) => !digests.has(i));
  if (lost.length > Math.max(1, Math.floor(mostHeldBytes / model.chunkBytes))) {
    throw mismatch(
      `${lost.length} chunks of ${file.name} are missing from the browser's storage, and their digests too. Repair the model: that fetches them and checks the whole file.`,
      { file: file.name, chunk: index, numLost: lost.length },
    );
  }
  const fetched: FetchedChunk[] = [];
  for (const i of lost) fetched.push(await fetchChunk(healing, i));
  for (const chunk of fetched) digests.set(chunk.index, chunk.digest);
  if ((await digestOfDigests(digests, count)) !== chunksSha256) throw changed(healing);
  for (const chunk of fetched) await storeChunk(healing, chunk);
  const own = fetched.find((chunk) => chunk.index === index);
  if (own === undefined) throw new EngineError("internal", `Chunk ${index} of ${file.name} was not fetched.`);
  return own.bytes;
}

/** A chunk of which nothing is left to compare with: the server must vouch that it is the same file. */
async function fetchVouched(healing: Healing): Promise<Uint8Array<ArrayBuffer>> {
  const { model, remote, file, index } = healing;
  const match = compareVersions(file, storedFile(file.name, await remote.stat(file.name)));
  if (match === "changed") throw changed(healing);
  // A file that is still being downloaded may do without: its whole SHA-256 is yet to be taken.
  if (match === "unknown" && model.ready) {
    throw mismatch(
      `Chunk ${index} of ${file.name} is missing from the browser's storage with its digest, and ${remote.id} sends nothing that tells whether its file is still the same. Repair the model: that checks the whole file.`,
      { file: file.name, chunk: index },
    );
  }
  const chunk = await fetchChunk(healing, index);
  await storeChunk(healing, chunk);
  return chunk.bytes;
}

async function fetchChunk({ remote, model, file }: Healing, index: number): Promise<FetchedChunk> {
  const bytes = await remote.fetchRange(file.name, chunkRange(file.sizeBytes, model.chunkBytes, index));
  return { index, bytes, digest: await sha256(bytes) };
}

async function storeChunk(healing: Healing, { index, bytes, digest }: FetchedChunk): Promise<void> {
  await requireStored(healing); // fetching takes a while
  await healing.store.putChunk(chunkRef(healing.model, healing.file, index), bytes, digest);
}

/** A model may be deleted while it is read: a chunk stored after that would be one that nothing lists. */
async function requireStored({ store, model, file, index }: Healing): Promise<void> {
  if (!model.ready || (await store.getModel(model.id)) !== undefined) return; // a download notices by itself
  throw mismatch(
    `${model.id} was deleted from the browser's storage while it was being read. Download it again.`,
    { file: file.name, chunk: index },
  );
}

function changed({ remote, file, index }: Healing): EngineError {
  return mismatch(
    `Chunk ${index} of ${file.name} is lost or damaged, and the file at ${remote.id} is not the one that was stored any more. Delete the stored model and download it again.`,
    { file: file.name, chunk: index },
  );
}

function mismatch(message: string, details: Record<string, string | number>, cause?: unknown): EngineError {
  return new EngineError("checksum-mismatch", message, { details, cause });
}
