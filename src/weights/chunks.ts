import type { ByteRange } from "./types.ts";

/**
 * Size of a stored chunk: large enough that IndexedDB reads at full speed, small enough that a few of them
 * (downloads in flight, the reader's two) stay far below the 256 MiB that loading may take.
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

/** SHA-256 in lower-case hex. */
export const sha256 = (bytes: Uint8Array<ArrayBuffer>): Promise<string> => hexDigest("SHA-256", bytes);

/** A digest in lower-case hex. */
export async function hexDigest(
  algorithm: "SHA-256" | "SHA-1",
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
