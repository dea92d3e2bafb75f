import { isEngineError } from "../errors.ts";
import type { ChunkStore, StoreKind } from "./chunk-store.ts";
import { defaultChunkBytes } from "./chunks.ts";

/** Under this id nothing but the remembered answer is kept, and while measuring the chunks. It is no model. */
const measureId = "gpt-oss-webgpu:store-speed";
/** With the number of the way it was measured: answers of another are not read. */
const answerName = "fastest-store-2";

/** A store that needs longer than this for a chunk is not asked for another one. */
const patienceMs = 250;

/**
 * The store that this device writes and reads faster, measured once with at most 32 MiB in each (well under a second)
 * and remembered. Where measuring fails, for want of room or because another tab measures, it is IndexedDB, for this time.
 */
export async function fasterStore(
  indexeddb: ChunkStore,
  opfs: ChunkStore,
  now: () => number = () => performance.now(),
): Promise<ChunkStore> {
  const byKind = (kind: StoreKind) => (kind === "opfs" ? opfs : indexeddb);
  const known = await indexeddb.getText(measureId, answerName);
  if (known === "opfs" || known === "indexeddb") return byKind(known);
  try {
    const speeds = [await bytesPerMs(indexeddb, now), await bytesPerMs(opfs, now)];
    const kind: StoreKind = (speeds[1] ?? 0) > (speeds[0] ?? 0) ? "opfs" : "indexeddb";
    await indexeddb.putText(measureId, answerName, kind);
    return byKind(kind);
  } catch (error) {
    if (isEngineError(error)) return indexeddb;
    throw error;
  }
}

/** Bytes through the store per ms, writing and reading back; what was written is deleted. */
async function bytesPerMs(store: ChunkStore, now: () => number): Promise<number> {
  const bytes = new Uint8Array(defaultChunkBytes);
  for (let at = 0; at < bytes.byteLength; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536)); // a disk that compresses would be too fast otherwise
  }
  const ref = (index: number) => ({
    ...{ id: measureId, file: "speed", index, startBytes: index * bytes.byteLength },
  });
  try {
    let numChunks = 0;
    const startMs = now();
    while (numChunks < 2 && now() - startMs < patienceMs) {
      await store.putChunk(ref(numChunks), bytes, "");
      numChunks += 1;
    }
    await store.release(measureId); // what was written here is read on this thread alone
    await Promise.all(Array.from({ length: numChunks }, (_, index) => store.getChunk(ref(index))));
    return (numChunks * bytes.byteLength) / Math.max(now() - startMs, 1e-3);
  } finally {
    await store.release(measureId);
    await store.deleteModel(measureId);
  }
}
