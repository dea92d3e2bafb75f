import { EngineError } from "../errors.ts";
import type { ChunkStore, StoredModel, StoreKind } from "./chunk-store.ts";
import { fasterStore } from "./measure-stores.ts";
import { listModels, type StoredModelSummary } from "./models.ts";
import { type StoreFault, unknownWhether, watchStores } from "./store-faults.ts";

/** A stored model and the store that it lies in. */
export interface FoundModel {
  readonly store: ChunkStore;
  readonly model: StoredModel;
}

/**
 * The stores of this browser as one. A store that fails counts as empty and is left out from then on, until it answers
 * again; its failure is thrown only where that store is asked for, or there is no other.
 */
export interface Stores {
  /** Of two copies the complete one. */
  find(id: string): Promise<FoundModel | undefined>;
  list(): Promise<StoredModelSummary[]>;
  /** Where a model is or should be; `wanted` counts only for one that is not stored. */
  choose(id: string, wanted: StoreKind | "auto" | undefined): Promise<ChunkStore>;
  /** Deletes a model from wherever it is. */
  remove(id: string): Promise<void>;
  /** The stores that do not answer, with the reason. */
  faults(): Promise<readonly StoreFault[]>;
}

/** `opfs` is undefined where the browser has no origin private file system with sync access. */
export function createStores(indexeddb: ChunkStore, opfs: ChunkStore | undefined): Stores {
  const watched = watchStores(opfs === undefined ? [indexeddb] : [indexeddb, opfs]);

  async function find(id: string): Promise<FoundModel | undefined> {
    const found = await watched.ask(async (store) => {
      const model = await store.getModel(id);
      return model === undefined ? undefined : { store, model };
    });
    const models = found.filter((each) => each !== undefined);
    return models.find(({ model }) => model.ready) ?? models[0];
  }

  return {
    find,
    list: async () => (await watched.ask(listModels)).flat(),
    async choose(id, wanted) {
      const found = await find(id);
      if (found !== undefined) return found.store;
      if (wanted === undefined || wanted === "indexeddb") return watched.require(indexeddb);
      if (wanted !== "auto" && wanted !== "opfs") throw wrongStore(wanted);
      if (wanted === "opfs") {
        if (opfs !== undefined) return watched.require(opfs);
        throw new EngineError(
          "storage-failed",
          'This browser has no origin private file system for workers; use store: "indexeddb" or "auto".',
        );
      }
      const [only, other] = watched.answering();
      if (only === undefined || other === undefined) return only ?? indexeddb;
      return fasterStore(only, other);
    },
    async remove(id) {
      const isThere = (await find(id)) !== undefined;
      for (const store of watched.answering()) await store.deleteModel(id);
      const [fault] = await watched.faults();
      if (!isThere && fault !== undefined) throw unknownWhether(id, fault);
    },
    faults: () => watched.faults(),
  };
}

function wrongStore(wanted: never): EngineError {
  return new EngineError(
    "request-invalid",
    `store is ${JSON.stringify(wanted)}; expected "indexeddb", "opfs" or "auto".`,
  );
}
