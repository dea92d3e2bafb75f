import { describeAdapter } from "../gpu/adapter-description.ts";
import { createEngine } from "../runtime/engine.ts";
import { createCommitPins } from "../weights/commit-pins.ts";
import { createIndexedDbStore } from "../weights/indexeddb-store.ts";
import { readManifest } from "../weights/manifest.ts";
import { openSource } from "../weights/open-source.ts";
import { createOpfsStore, type OpfsStoreOptions } from "../weights/opfs/opfs-store.ts";
import { createRememberedSettings } from "../weights/remembered-settings.ts";
import { estimateStorage } from "../weights/storage-estimate.ts";
import { openStoredCheckpoint } from "../weights/stored-files.ts";
import { createStores } from "../weights/stores.ts";
import { holdLifeLock } from "./life-lock.ts";
import { createModelLocks } from "./model-locks.ts";
import { openGrammar } from "./open-grammar.ts";
import { openHashPort } from "./open-hash-port.ts";
import { openModel } from "./open-model.ts";
import { numReaders, openReadPort } from "./open-read-port.ts";
import { resolveStored } from "./require-stored.ts";
import type { HostServices } from "./services.ts";
import { createSharedProgress } from "./shared-progress.ts";
import { createStoredModels } from "./stored-models.ts";

/** The host's surroundings in a dedicated worker: WebGPU, fetch, both stores, Web Locks and the other tabs. */
export function createBrowserServices(scope: { readonly navigator: Navigator }): HostServices {
  const readers = { openPort: openReadPort, numWorkers: numReaders(scope.navigator) };
  const indexeddb = createIndexedDbStore(undefined, { readers });
  const opfs = (more: OpfsStoreOptions) => (hasOpfs(scope) ? createOpfsStore(undefined, more) : undefined);
  const stores = createStores(indexeddb, opfs({ readers: sharesReadOnlyHandles() ? readers : undefined }));
  /** With nothing in common, so that it may be closed beside a request that uses the same model; for small reads. */
  const storesAside = createStores(createIndexedDbStore(), opfs({}));
  const services = {
    stores,
    openHashPort,
    locks: createModelLocks(scope.navigator.locks),
    shared: createSharedProgress(
      typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("gpt-oss-webgpu"),
    ),
    // Which commit a branch stood for is kept in one place, wherever the model is.
    pins: createCommitPins({
      getText: indexeddb.getText,
      putText: indexeddb.putText,
      getModel: async (id) => (await stores.find(id))?.model,
    }),
  };
  return {
    createEngine: () =>
      createEngine(scope.navigator.gpu, { settings: createRememberedSettings(), openGrammar }),
    describeAdapter: () => describeAdapter(scope.navigator.gpu),
    readManifest: async (asked) => {
      const source = await resolveStored(storesAside, asked);
      const { files } = await openSource(source, { pins: services.pins });
      const found = await storesAside.find(files.id);
      const stored = found && (await openStoredCheckpoint(found.store, files.id, files));
      try {
        return await readManifest(stored ?? files);
      } finally {
        await stored?.close?.();
      }
    },
    storageBytes: async () => {
      const { quota, usage } = await estimateStorage(scope.navigator.storage);
      return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
    },
    openModel: (source, options) => openModel(source, services, options),
    stored: createStoredModels(services),
    holdLifeLock: () => holdLifeLock(scope.navigator.locks),
  };
}

/** Sync access is what makes the private file system fast, and what only dedicated workers have. */
function hasOpfs({ navigator }: { readonly navigator: Navigator }): boolean {
  const storage: Partial<StorageManager> | undefined = navigator.storage;
  return (
    storage?.getDirectory !== undefined &&
    typeof FileSystemFileHandle !== "undefined" &&
    "createSyncAccessHandle" in FileSystemFileHandle.prototype
  );
}

/** Where handles have no modes (Firefox, Safari), each is its file's only one. */
function sharesReadOnlyHandles(): boolean {
  const { FileSystemSyncAccessHandle } = globalThis as { FileSystemSyncAccessHandle?: { prototype: object } };
  return FileSystemSyncAccessHandle !== undefined && "mode" in FileSystemSyncAccessHandle.prototype;
}
