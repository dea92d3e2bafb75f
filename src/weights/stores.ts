import { EngineError } from "../errors.ts";
import type { ChunkStore, StoredModel, StoreKind } from "./chunk-store.ts";
import { fasterStore } from "./measure-stores.ts";
import { listModels, type StoredModelSummary } from "./models.ts";

/** A stored model and the store that it lies in. */
export interface FoundModel {
  readonly store: ChunkStore;
  readonly model: StoredModel;
}

/** The stores of this browser as one. */
export interface Stores {
  /** Of two copies the complete one. */
  find(id: string): Promise<FoundModel | undefined>;
  list(): Promise<StoredModelSummary[]>;
  /** Where a model is or should be; `wanted` counts only for one that is not stored. */
  choose(id: string, wanted: StoreKind | "auto" | undefined): Promise<ChunkStore>;
  /** Deletes a model from wherever it is. */
  remove(id: string): Promise<void>;
}

/** `opfs` is undefined where the browser has no origin private file system with sync access. */
export function createStores(indexeddb: ChunkStore, opfs: ChunkStore | undefined): Stores {
  const all = opfs === undefined ? [indexeddb] : [indexeddb, opfs];

  async function find(id: string): Promise<FoundModel | undefined> {
    const found: FoundModel[] = [];
    for (const store of all) {
      const model = await store.getModel(id);
      if (model !== undefined) found.push({ store, model });
    }
    return found.find(({ model }) => model.ready) ?? found[0];
  }

  return {
    find,
    list: async () => (await Promise.all(all.map(listModels))).flat(),
    async choose(id, wanted) {
      const found = await find(id);
      if (found !== undefined) return found.store;
      if (wanted === undefined || wanted === "indexeddb") return indexeddb;
      if (wanted !== "auto" && wanted !== "opfs") throw wrongStore(wanted);
      if (opfs !== undefined) return wanted === "opfs" ? opfs : fasterStore(indexeddb, opfs);
      if (wanted === "auto") return indexeddb;
      throw new EngineError(
        "storage-failed",
        'This browser has no origin private file system for workers; use store: "indexeddb" or "auto".',
      );
    },
    remove: async (id) => {
      for (const store of all) await store.deleteModel(id);
    },
  };
}

function wrongStore(wanted: never): EngineError {
  return new EngineError(
    "request-invalid",
    `store is ${JSON.stringify(wanted)}; expected "indexeddb", "opfs" or "auto".`,
  );
}
