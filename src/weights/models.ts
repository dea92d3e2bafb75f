import type { ChunkStore } from "./chunk-store.ts";
import { storedBytes } from "./download.ts";

/** A model in the browser's storage, whole or in part. */
export interface StoredModelSummary {
  readonly id: string;
  readonly totalBytes: number;
  readonly storedBytes: number;
  /** True where it loads without the network. */
  readonly ready: boolean;
}

/** The stored models with their sizes in bytes of weights. @throws storage-failed */
export async function listModels(store: ChunkStore): Promise<StoredModelSummary[]> {
  const summaries: StoredModelSummary[] = [];
  for (const model of await store.listModels()) {
    summaries.push({
      id: model.id,
      totalBytes: model.files.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
      storedBytes: await storedBytes(store, model),
      ready: model.ready,
    });
  }
  return summaries;
}

/** Removes a model and everything stored for it; fine where there is none. @throws storage-failed */
export async function deleteModel(store: ChunkStore, id: string): Promise<void> {
  await store.deleteModel(id);
}
