import { EngineError, isEngineError, toWireError, type WireError } from "../errors.ts";
import type { CheckpointManifest } from "../format/types.ts";
import type { Engine, EngineInfo } from "../runtime/types.ts";
import { createPause, type Pause } from "../weights/pause.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { StorageOptions } from "../weights/storage-options.ts";
import type { ByteProgress } from "../weights/types.ts";
import { delivering } from "./delivering.ts";
import type { OpenedModel, OpenModelOptions } from "./open-model.ts";
import { engineOptions } from "./option-tables.ts";
import type { HostApi } from "./protocol.ts";
import type { Requests } from "./requests.ts";
import type { HostServices } from "./services.ts";

/** The calls of HostApi that are about models in storage and on their way to the GPU. */
export type ModelCalls = Pick<
  HostApi,
  | "load"
  | "download"
  | "pauseDownload"
  | "resumeDownload"
  | "cancelDownload"
  | "models"
  | "storeFaults"
  | "verifyModel"
  | "repairModel"
  | "exportModel"
  | "deleteModel"
>;

export interface ModelCallsContext {
  readonly services: HostServices;
  readonly requests: Requests;
  /** The GPU, opened at the first call. */
  readonly openEngine: () => Promise<Engine>;
  readonly reportFault: (error: WireError) => void;
}

/** The calls, and the end of what they hold. */
export interface Models {
  readonly calls: ModelCalls;
  /** Frees the model on the GPU and gives it back to other tabs. */
  unload(): Promise<void>;
}

export function createModelCalls({ services, requests, openEngine, reportFault }: ModelCallsContext): Models {
  const { stored } = services;
  let engine: Engine | undefined;
  /** What is on the GPU, or on its way. */
  let held: OpenedModel | undefined;
  /** Of the download under way. */
  let pause: Pause | undefined;
  /** What this tab fetched for it, the model and an adapter: what it only waits for is the other tab's. */
  let ledIds: string[] = [];

  async function unload(): Promise<void> {
    engine?.unload();
    const former = held;
    held = undefined;
    await former?.release();
  }

  async function onLost(error: EngineError): Promise<void> {
    await requests.stop();
    if (held === undefined) return; // the load that it ended says so
    await unload();
    reportFault(toWireError(error));
  }

  /** Opens a model with a pause of its own. */
  async function open(
    source: ModelSource,
    options: Pick<OpenModelOptions, keyof StorageOptions | "otherTab" | "forEngine">,
    run: {
      readonly onProgress: (progress: ByteProgress) => void;
      readonly onManifest: (manifest: CheckpointManifest) => void;
      readonly onLost: (error: EngineError) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<OpenedModel> {
    pause = createPause();
    const led: string[] = [];
    ledIds = led;
    const onLead = (id: string) => void led.push(id);
    try {
      return await services.openModel(source, { ...options, ...run, pause, onLead });
    } finally {
      pause = undefined;
    }
  }

  const calls: ModelCalls = {
    load: (call, source, options, deliver) =>
      requests.run(call, "load a model", async (signal): Promise<EngineInfo> => {
        // The adapter first: whoever has none should hear so before a download, not after it.
        const loading = await openEngine();
        engine = loading;
        await unload();
        return delivering(deliver, async (onProgress) => {
          const own = engineOptions(options);
          // A model that the adapter cannot hold is refused before its gigabytes are fetched.
          const onManifest = (manifest: CheckpointManifest) => loading.checkFits(manifest, own);
          let lost: EngineError | undefined;
          const run = {
            ...{ onProgress, onManifest, signal },
            onLost: (error: EngineError) => {
              lost = error;
              void onLost(error);
            },
          };
          try {
            const model = await open(source, { ...options, forEngine: true }, run);
            held = model;
            try {
              return await loading.load(model.files, { ...own, onProgress, signal });
            } catch (error) {
              await unload();
              throw error;
            } finally {
              await model.files.close?.();
            }
          } catch (error) {
            throw isEngineError(error, "aborted") && lost !== undefined ? lost : error;
          }
        });
      }),
    download: (call, source, options, deliver) =>
      requests.run(call, "download a model", (signal) =>
        delivering(deliver, async (onProgress) => {
          const run = { onProgress, onManifest: () => {}, onLost: () => {}, signal };
          const model = await open(source, { ...options, forEngine: false }, run);
          await model.files.close?.();
          await model.release();
          const summary = (await stored.list()).find(({ id }) => id === model.id);
          if (summary !== undefined) return summary;
          throw new EngineError(
            "request-invalid",
            `${model.id} is read where it is: there is nothing to download.`,
          );
        }),
      ),
    pauseDownload: async () => pause?.pause(),
    resumeDownload: async () => pause?.resume(),
    cancelDownload: async (deletePartial) => {
      if (pause === undefined) return;
      await requests.stop();
      if (deletePartial) for (const id of ledIds) await stored.removePartial(id);
    },
    models: () => stored.list(),
    storeFaults: () => stored.faults(),
    verifyModel: (call, id, deliver) =>
      requests.run(call, "verify a model", (signal) =>
        delivering(deliver, (onProgress) => stored.verify(id, { onProgress, signal })),
      ),
    repairModel: (call, id, source, deliver) =>
      requests.run(call, "repair a model", (signal) =>
        delivering(deliver, (onProgress) => stored.repair(id, source, { onProgress, signal })),
      ),
    exportModel: (call, id, folder, deliver) =>
      requests.run(call, "export a model", (signal) =>
        delivering(deliver, (onProgress) => stored.export(id, folder, { onProgress, signal })),
      ),
    deleteModel: async (id) => {
      requests.refuseWhileRunning("delete a model");
      await stored.remove(id, held?.id);
    },
  };
  return { calls, unload };
}
