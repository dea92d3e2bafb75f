import { EngineError, toEngineError, toWireError, type WireError } from "../errors.ts";
import type { CheckpointManifest } from "../format/types.ts";
import type { Engine } from "../runtime/types.ts";
import type { StoredModelSummary } from "../weights/models.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";
import { createOutbox } from "./outbox.ts";
import type { Deliver, HostApi } from "./protocol.ts";
import { type CapabilityServices, reportCapabilities } from "./report-capabilities.ts";
import { createRequests } from "./requests.ts";

export interface OpenOptions {
  readonly onProgress: (progress: ByteProgress) => void;
  /** Told what the checkpoint is before its weights are fetched; what it throws ends the download. */
  readonly onManifest: (manifest: CheckpointManifest) => void;
  readonly signal: AbortSignal;
}

/** What the host needs from its surroundings: passed in, so that tests can stand in for a browser. */
export interface HostServices extends CapabilityServices {
  /** Opens the GPU. Called at the first load; a failed call is repeated at the next load. */
  createEngine(): Promise<Engine>;
  /** Fetches what is missing of a checkpoint and opens it from storage. */
  openCheckpoint(source: ModelSource, options: OpenOptions): Promise<CheckpointFiles>;
  listModels(): Promise<readonly StoredModelSummary[]>;
  deleteModel(id: string): Promise<void>;
  /** Takes a Web Lock for the life of the worker; resolves to its name, or undefined where there are no locks. */
  holdLifeLock(): Promise<string | undefined>;
}

/** The host and the way failures that nobody awaited reach the client. */
export interface Host {
  readonly api: HostApi;
  /** Reports a failure outside any request, such as an unhandled rejection. */
  reportFault(error: unknown): void;
}

/** The worker's side of the engine: one engine, one request at a time, progress and answers in batches. */
export function createHost(services: HostServices): Host {
  const requests = createRequests();
  const faults: WireError[] = [];
  let onFault: ((error: WireError) => void) | undefined;
  let engine: Engine | undefined;

  function loadedEngine(what: string): Engine {
    if (engine?.info !== undefined) return engine;
    throw new EngineError("not-loaded", `Cannot ${what}: no model is loaded. Call load() first.`);
  }

  const api: HostApi = {
    hello: async (listener) => {
      onFault = listener;
      for (const fault of faults.splice(0)) listener(fault);
      return services.holdLifeLock();
    },
    ping: async () => {},
    load: (call, source, options, deliver) =>
      requests.run(call, "load a model", async (signal) => {
        // The adapter first: whoever has none should hear so before a download, not after it.
        engine ??= await services.createEngine();
        engine.unload();
        const loading = engine;
        return delivering(deliver, async (onProgress) => {
          // A model that the adapter cannot hold is refused before its gigabytes are fetched.
          const onManifest = (manifest: CheckpointManifest) => loading.checkFits(manifest, options);
          const files = await services.openCheckpoint(source, { onProgress, onManifest, signal });
          return loading.load(files, { ...options, onProgress, signal });
        });
      }),
    chat: (call, request, deliver) =>
      requests.run(call, "chat", async (signal) => {
        const events = loadedEngine("chat").chat({ ...request, signal });
        await delivering(deliver, async (push) => {
          for await (const event of events) push(event);
        });
      }),
    generate: (call, prompt, options, deliver) =>
      requests.run(call, "generate", async (signal) => {
        const generation = loadedEngine("generate").generate(prompt, { ...options, signal });
        generation.result.catch(() => {}); // the iteration throws the same
        return delivering(deliver, async (push) => {
          for await (const token of generation) push(token);
          return generation.result;
        });
      }),
    logits: (call, tokens, path) =>
      requests.run(call, "compute logits", async (signal) =>
        loadedEngine("compute logits").logits(tokens, path, signal),
      ),
    abort: async (call) => requests.abort(call),
    unload: async () => {
      await requests.stop();
      engine?.unload();
    },
    capabilities: (subject, options) => reportCapabilities(services, subject, options),
    models: () => services.listModels(),
    deleteModel: async (id) => {
      requests.refuseWhileRunning("delete a model");
      await services.deleteModel(id);
    },
  };

  return {
    api,
    reportFault: (error) => {
      // It may have taken the running request's answer with it: that must not hang.
      requests.fail(toEngineError(error));
      const fault = toWireError(error);
      if (onFault === undefined) faults.push(fault);
      else onFault(fault);
    },
  };
}

/** Runs `work` with a way to push items, and returns only when all of them were taken, also where it throws. */
async function delivering<T, R>(
  deliver: Deliver<T>,
  work: (push: (item: T) => void) => Promise<R>,
): Promise<R> {
  const outbox = createOutbox(deliver);
  try {
    return await work((item) => outbox.push(item));
  } finally {
    await outbox.flush();
  }
}
