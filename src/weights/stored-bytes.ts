import type { ChunkStore, StoredModel } from "./chunk-store.ts";
import { chunkRange } from "./chunks.ts";

/** Bytes of the complete chunks of a model. */
export async function storedBytes(store: ChunkStore, model: StoredModel): Promise<number> {
  let total = 0;
  for (const { name, sizeBytes } of model.files) {
    for (const index of (await store.listChunks(model.id, name)).keys()) {
      const { startBytes, endBytes } = chunkRange(sizeBytes, model.chunkBytes, index);
      total += endBytes - startBytes;
    }
  }
  return total;
}
