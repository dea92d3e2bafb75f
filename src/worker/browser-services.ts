import { EngineError } from "../errors.ts";
import { describeAdapter } from "../gpu/adapter-description.ts";
import { createEngine } from "../runtime/engine.ts";
import { createCommitPins } from "../weights/commit-pins.ts";
import { createIndexedDbStore } from "../weights/indexeddb-store.ts";
import { withLora } from "../weights/lora-files.ts";
import { readManifest } from "../weights/manifest.ts";
import { deleteModel, listModels } from "../weights/models.ts";
import { openCheckpoint } from "../weights/open-checkpoint.ts";
import { openLocation, openSource } from "../weights/open-source.ts";
import type { ModelSource } from "../weights/source-types.ts";
import { openStoredCheckpoint } from "../weights/stored-files.ts";
import type { HostServices } from "./host.ts";
import { holdLifeLock } from "./life-lock.ts";

const minChunkBytes = 4 * 1024 * 1024;
const maxChunkBytes = 32 * 1024 * 1024;

/** The host's surroundings in a dedicated worker: WebGPU, fetch, IndexedDB and Web Locks. */
export function createBrowserServices(scope: { readonly navigator: Navigator }): HostServices {
  const store = createIndexedDbStore();
  const pins = createCommitPins(store);
  return {
    createEngine: () => createEngine(scope.navigator.gpu),
    openCheckpoint: async (source, { onProgress, onManifest, signal }) => {
      checkChunkBytes(source);
      const services = { pins, signal };
      const opened = await openSource(source, services);
      // The adapter first: it is small, and what is wrong with its place should show before a download.
      const lora =
        source.lora === undefined ? undefined : await openLocation(source.lora, services, "adapter");
      const stored = opened.stored
        ? await openCheckpoint({
            source: opened.files,
            store,
            onProgress,
            onManifest,
            signal,
            chunkBytes: source.chunkBytes,
          })
        : undefined;
      const files = stored?.files ?? opened.files;
      return lora === undefined ? files : withLora(files, lora, { manifest: stored?.manifest, signal });
    },
    describeAdapter: () => describeAdapter(scope.navigator.gpu),
    readManifest: async (source) => {
      const { files } = await openSource(source, { pins });
      return readManifest((await openStoredCheckpoint(store, files.id, files)) ?? files);
    },
    storageBytes: async () => {
      const { quota, usage } = (await scope.navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
      return quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage);
    },
    listModels: () => listModels(store),
    deleteModel: (id) => deleteModel(store, id),
    holdLifeLock: () => holdLifeLock(scope.navigator.locks),
  };
}

function checkChunkBytes({ chunkBytes }: ModelSource): void {
  if (chunkBytes === undefined) return;
  if (Number.isInteger(chunkBytes) && chunkBytes >= minChunkBytes && chunkBytes <= maxChunkBytes) return;
  throw new EngineError(
    "request-invalid",
    `chunkBytes is ${chunkBytes}; it must be an integer from ${minChunkBytes} to ${maxChunkBytes}.`,
    { details: { chunkBytes } },
  );
}
