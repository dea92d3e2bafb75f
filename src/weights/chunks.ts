import type { ChunkRef, ChunkStore, StoredFile, StoredModel } from "./chunk-store.ts";
import type { ByteRange } from "./types.ts";

/**
 * Size of a stored chunk: large enough that both stores read at full speed, small enough that those in memory
 * (4 downloads in flight and 4 waiting for the file's hash, or 4 kept while read in parts) stay far below the 256 MiB that
 * loading may take, and below the 127 MiB that a value in Chromium's IndexedDB may have.
 */
export const defaultChunkBytes = 16 * 1024 * 1024;

/** Number of chunks of a file; the last one may be shorter. */
export function numChunks(sizeBytes: number, chunkBytes: number): number {
  return Math.ceil(sizeBytes / chunkBytes);
}

/** The bytes of chunk `index` of a file. */
export function chunkRange(sizeBytes: number, chunkBytes: number, index: number): ByteRange {
  const startBytes = index * chunkBytes;
  return { startBytes, endBytes: Math.min(sizeBytes, startBytes + chunkBytes) };
}

/** Names a chunk to a store. */
export function chunkRef(model: StoredModel, file: StoredFile, index: number): ChunkRef {
  return { id: model.id, file: file.name, index, startBytes: index * model.chunkBytes };
}

/** SHA-256 in lower-case hex. */
export const sha256 = (bytes: Uint8Array<ArrayBuffer>): Promise<string> => hexDigest("SHA-256", bytes);

/**
 * SHA-256 of a file's chunk digests in their order, each as 64 hex digits: what stands for the whole file's own where it was
 * taken together with that. Chunks are hashed by WebCrypto, several at once; a file's SHA-256 goes byte after byte.
 * @returns undefined where a digest is missing
 */
export async function digestOfDigests(
  digests: ReadonlyMap<number, string>,
  count: number,
): Promise<string | undefined> {
  let text = "";
  for (let index = 0; index < count; index += 1) {
    const digest = digests.get(index);
    if (digest === undefined) return undefined;
    text += digest;
  }
  return sha256(new TextEncoder().encode(text));
}

/** A file whose SHA-256 was just taken, with the digest of its chunks' digests. */
export async function withChunksDigest(
  store: ChunkStore,
  model: StoredModel,
  file: StoredFile,
): Promise<StoredFile> {
  const digests = await store.listChunks(model.id, file.name);
  const chunksSha256 = await digestOfDigests(digests, numChunks(file.sizeBytes, model.chunkBytes));
  return chunksSha256 === undefined ? file : { ...file, chunksSha256 };
}

/** A digest in lower-case hex. */
export async function hexDigest(
  algorithm: "SHA-256" | "SHA-1",
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
