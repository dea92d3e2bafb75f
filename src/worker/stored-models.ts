import { EngineError, isEngineError } from "../errors.ts";
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
import { alone } from "./alone.ts";
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
  /** Removes a model only where it is not complete, and no other tab goes on with it. */
  removePartial(id: string): Promise<void>;
  verify(id: string, options: StoredModelOptions): Promise<VerifyReport>;
  /** `source` stands in where the record has none. */
  repair(id: string, source: ModelSource | undefined, options: StoredModelOptions): Promise<VerifyReport>;
  export(id: string, folder: FileSystemDirectoryHandle, options: StoredModelOptions): Promise<void>;
}

/** Work that changes a model shuts other tabs out of changing it meanwhile. */
export function createStoredModels(services: OpenModelServices): StoredModels {
  const { stores, locks, pins, openHashPort } = services;
  const refuse = { policy: "refuse" } as const;

  /** Closes the files again, whatever comes of it. */
  const withModel = <T>(
    id: string,
    options: StoredModelOptions,
    work: (found: FoundModel & StoredModelOptions) => Promise<T>,
  ) =>
    alone(services, id, { ...refuse, signal: options.signal }, async (signal) => {
      const found = await requireStored(stores, id);
      try {
        return await work({ ...found, ...options, signal });
      } finally {
        await found.store.release(id);
      }
    });

  return {
    list: () => stores.list(),
    faults: () => stores.faults(),
    remove: (id, ownId) =>
      alone(services, id, refuse, async () => {
        const free = id === ownId ? async () => {} : await locks.hold("engine", id, refuse);
        try {
          await stores.remove(id);
        } finally {
          await free();
        }
      }),
    removePartial: async (id) => {
      const removing = alone(services, id, refuse, async () => {
        const found = await stores.find(id);
        if (found !== undefined && !found.model.ready) await found.store.deleteModel(id);
      });
      await removing.catch((error: unknown) => {
        // It waited for this download, and goes on with it: nothing is left over.
        if (!isEngineError(error, "busy") || error.details.reason !== "model-in-other-tab") throw error;
      });
    },
    verify: (id, options) => withModel(id, options, verifyModel),
    repair: (id, given, options) =>
      withModel(id, options, async (found) => {
        const source = given ?? asSource(found.model.source);
        if (source === undefined) {
          throw new EngineError(
            "request-invalid",
            `Where ${id} came from is not known (it was imported from a folder, or an older version stored it). Repair it with its source.`,
            { details: { id } },
          );
        }
        const { files } = await openSource(source, { pins, signal: found.signal });
        return repairModel({ ...found, remote: { ...files, id }, openHashPort });
      }),
    export: (id, folder, options) => withModel(id, options, (found) => exportModel({ ...found, folder })),
  };
}
