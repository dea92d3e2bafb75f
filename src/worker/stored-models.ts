import { EngineError } from "../errors.ts";
import { exportModel } from "../weights/export-model.ts";
import type { StoredModelSummary } from "../weights/models.ts";
import { openSource } from "../weights/open-source.ts";
import { repairModel } from "../weights/repair-model.ts";
import type { ModelSource } from "../weights/source-types.ts";
import { asSource } from "../weights/storable-source.ts";
import type { StoreFault } from "../weights/store-faults.ts";
import type { FoundModel } from "../weights/stores.ts";
import type { ByteProgress } from "../weights/types.ts";
import { type VerifyReport, verifyModel } from "../weights/verify-model.ts";
import type { OpenModelServices } from "./open-model.ts";
import { requireStored } from "./require-stored.ts";

export interface StoredModelOptions {
  readonly onProgress: (progress: ByteProgress) => void;
  readonly signal: AbortSignal;
}

/** Work on the models in this browser's storage. */
export interface StoredModels {
  list(): Promise<readonly StoredModelSummary[]>;
  /** The stores that do not answer. */
  faults(): Promise<readonly StoreFault[]>;
  /** `ownId` is the model that this tab itself has on the GPU. @throws busy where another tab uses the model */
  remove(id: string, ownId: string | undefined): Promise<void>;
  /** Removes a model only where it is not complete. */
  removePartial(id: string): Promise<void>;
  verify(id: string, options: StoredModelOptions): Promise<VerifyReport>;
  /** `source` stands in where the record has none. */
  repair(id: string, source: ModelSource | undefined, options: StoredModelOptions): Promise<VerifyReport>;
  export(id: string, folder: FileSystemDirectoryHandle, options: StoredModelOptions): Promise<void>;
}

/** Work that changes a model shuts other tabs out of changing it meanwhile. */
export function createStoredModels({ stores, locks, pins, openHashPort }: OpenModelServices): StoredModels {
  async function alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    const free = await locks.hold("download", id, { policy: "refuse" });
    try {
      return await work();
    } finally {
      await free();
    }
  }

  /** Closes the files again, whatever comes of it. */
  const withModel = <T>(id: string, work: (found: FoundModel) => Promise<T>) =>
    alone(id, async () => {
      const found = await requireStored(stores, id);
      try {
        return await work(found);
      } finally {
        await found.store.release(id);
      }
    });

  return {
    list: () => stores.list(),
    faults: () => stores.faults(),
    remove: (id, ownId) =>
      alone(id, async () => {
        const free = id === ownId ? async () => {} : await locks.hold("engine", id, { policy: "refuse" });
        try {
          await stores.remove(id);
        } finally {
          await free();
        }
      }),
    removePartial: (id) =>
      alone(id, async () => {
        const found = await stores.find(id);
        if (found !== undefined && !found.model.ready) await found.store.deleteModel(id);
      }),
    verify: (id, options) => withModel(id, (found) => verifyModel({ ...found, ...options })),
    repair: (id, given, options) =>
      withModel(id, async (found) => {
        const source = given ?? asSource(found.model.source);
        if (source === undefined) {
          throw new EngineError(
            "request-invalid",
            `Where ${id} came from is not known (it was imported from a folder, or an older version stored it). Repair it with its source.`,
            { details: { id } },
          );
        }
        const { files } = await openSource(source, { pins, signal: options.signal });
        return repairModel({ ...found, ...options, remote: { ...files, id }, openHashPort });
      }),
    export: (id, folder, options) => withModel(id, (found) => exportModel({ ...found, ...options, folder })),
  };
}
