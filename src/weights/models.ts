import type { ChunkStore, StoreKind } from "./chunk-store.ts";
import { storedBytes } from "./stored-bytes.ts";

/** A model in the browser's storage, whole or in part. */
export interface StoredModelSummary {
  readonly id: string;
  /** Set for a LoRA adapter: it cannot be loaded by itself, but is listed, verified and deleted like a model. */
  readonly kind?: "adapter";
  readonly totalBytes: number;
  readonly storedBytes: number;
  /** True where it loads without the network. */
  readonly ready: boolean;
  /** Which of the browser's stores it lies in. */
  readonly store: StoreKind;
  readonly files: readonly StoredFileSummary[];
  /** How it was asked for: what `load` was called with. Absent where an older version stored it. */
  readonly source?: unknown;
}

export interface StoredFileSummary {
  readonly name: string;
  readonly sizeBytes: number;
  /** SHA-256 in hex of the whole file; absent until it is complete. */
  readonly sha256?: string;
}

/** The stored models with their sizes in bytes of weights. @throws storage-failed */
export async function listModels(store: ChunkStore): Promise<StoredModelSummary[]> {
  const summaries: StoredModelSummary[] = [];
  for (const model of await store.listModels()) {
    summaries.push({
      id: model.id,
      ...(model.kind !== undefined && { kind: model.kind }),
      totalBytes: model.files.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
      storedBytes: await storedBytes(store, model),
      ready: model.ready,
      store: store.kind,
      files: model.files.map(({ name, sizeBytes, sha256 }) => ({
        name,
        sizeBytes,
        ...(model.ready && sha256 !== undefined && { sha256 }),
      })),
      ...(model.source !== undefined && { source: model.source }),
    });
  }
  return summaries;
}

/** Removes a model and everything stored for it; fine where there is none. @throws storage-failed | busy */
export async function deleteModel(store: ChunkStore, id: string): Promise<void> {
  await store.deleteModel(id);
}
