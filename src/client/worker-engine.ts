import { EngineError, isEngineError } from "../errors.ts";
import { publishedShapes } from "../format/published-shapes.ts";
import type { CapabilityOptions, CapabilityReport } from "../runtime/capability-report.ts";
import { checkOptions, isObject, oneOf } from "../runtime/check-options.ts";
import { capabilityRules } from "../runtime/option-tables.ts";
import type { ChatEvent, ChatRequest, EngineInfo, GenerateOptions, Generation } from "../runtime/types.ts";
import type { StoredModelSummary } from "../weights/models.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { ByteProgress } from "../weights/types.ts";
import type { VerifyReport } from "../weights/verify-model.ts";
import { checkSource, downloadRules, workerLoadRules } from "../worker/option-tables.ts";
import type { CapabilitySubject, Deliver, DownloadOptions, WorkerLoadOptions } from "../worker/protocol.ts";
import { absoluteSource } from "./absolute-source.ts";
import { type ConnectionOptions, openConnection } from "./connection.ts";
import { createPersistence, type StorageFacts } from "./persistence.ts";
import { streamChat, streamTokens } from "./streams.ts";
import type { WorkerLike } from "./worker-like.ts";

/** A model in a worker. See `createWorkerEngine`. */
export interface WorkerEngine {
  /** What is loaded; undefined where nothing is. */
  readonly info: EngineInfo | undefined;
  /**
   * Fetches what is missing of a checkpoint into this browser's storage, then streams it to the GPU, replacing what
   * was loaded. Progress comes in two phases, each monotone and ending at its total (before them a download of its own
   * for an adapter). Aborting keeps what was stored. Where another tab takes the model over in mid-load, that is `busy`
   * with reason `model-taken-over`.
   * @throws webgpu-unavailable | adapter-unavailable | limit-exceeded | out-of-memory | device-lost | shader-compile
   * | download-failed | storage-full | storage-failed | checksum-mismatch | checkpoint-invalid | tokenizer-invalid
   * | request-invalid | busy | aborted | disposed | worker-died
   */
  load(source: ModelSource, options?: WorkerLoadOptions): Promise<EngineInfo>;
  /**
   * Answers a conversation. Runs once, from the first `next()`; leaving the loop aborts it. An abort by signal ends
   * it with a `done` event of finish reason `aborted`.
   * @throws not-loaded | busy | request-invalid | context-overflow | device-lost | disposed | worker-died
   */
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  /** Continues token ids; for evaluation and tools. Same rules as `chat`. */
  generate(prompt: readonly number[], options: GenerateOptions): Generation;
  /** Logits `[T, V]` of every position, through the prefill kernels or token by token through the decode kernels. */
  logits(tokens: readonly number[], path: "prefill" | "decode", signal?: AbortSignal): Promise<Float32Array>;
  /**
   * Says whether a model can run here, before anything of it is downloaded: adapter, limits, memory needed, what is in
   * the way and what helps. Of a source only config.json and headers are read; `{ published: "20b" }` needs no request.
   * No adapter is a finding, not a failure. Runs beside requests.
   * @throws download-failed | checkpoint-invalid | request-invalid | disposed | worker-died
   */
  capabilities(subject: CapabilitySubject, options?: CapabilityOptions): Promise<CapabilityReport>;
  /**
   * Fetches a checkpoint into storage and loads nothing. Where another tab downloads it already, this one shows that
   * tab's progress, and goes on where it closes or dies; `otherTab` chooses to be refused (`busy` with reason
   * `model-in-other-tab`) or to take it over. Throws as `load` does, but nothing of the GPU; `busy` with reason
   * `model-taken-over` where another tab takes the download over.
   */
  download(source: ModelSource, options?: DownloadOptions): Promise<StoredModelSummary>;
  /**
   * Holds the download under way up, whether `load` or `download` began it, also where it runs in another tab. Nothing
   * is lost, not even the chunks in flight. Without a download nothing happens.
   */
  pauseDownload(): Promise<void>;
  resumeDownload(): Promise<void>;
  /**
   * Ends the download under way: its call rejects with `aborted`. What is stored is kept for the next time, unless
   * `deletePartial` is true; what another tab downloads or goes on with is that tab's.
   */
  cancelDownload(options?: { readonly deletePartial?: boolean }): Promise<void>;
  /** The checkpoints in this browser's storage, whole or in part, with their sizes. */
  models(): Promise<readonly StoredModelSummary[]>;
  /** What the browser says about this site's storage, and which of its stores fail. For display only. */
  storage(): Promise<StorageFacts>;
  /** Reads every stored byte of a model and checks all digests. @throws request-invalid where it is not stored | busy */
  verifyModel(id: string, options?: StorageWorkOptions): Promise<VerifyReport>;
  /**
   * Checks a model and fetches again only what is bad. `source` is needed where the model's summary has none.
   * @throws checksum-mismatch where the source has other files now | download-failed | storage-full | busy
   */
  repairModel(
    id: string,
    options?: StorageWorkOptions & { readonly source?: ModelSource },
  ): Promise<VerifyReport>;
  /**
   * Copies a model into a folder that the user picked (`showDirectoryPicker({ mode: "readwrite" })`), chunk by chunk,
   * each checked. @throws request-invalid where it is not complete | checksum-mismatch | storage-full | busy
   */
  exportModel(id: string, folder: FileSystemDirectoryHandle, options?: StorageWorkOptions): Promise<void>;
  /**
   * Deletes a stored checkpoint. What is on the GPU stays.
   * @throws busy while a request runs, or where another tab uses the model
   */
  deleteModel(id: string): Promise<void>;
  /** Aborts the running request and frees the model. The worker stays. */
  unload(): Promise<void>;
  /** Ends the worker and frees everything but the stored files. What is pending rejects with `disposed`. */
  dispose(): void;
}

/** How long work on a stored model shows and stops. */
export interface StorageWorkOptions {
  readonly onProgress?: (progress: ByteProgress) => void;
  readonly signal?: AbortSignal;
}

export interface WorkerEngineOptions extends ConnectionOptions {
  /**
   * The worker, or how to make it: for pages whose bundler or Trusted Types policy wants to do so itself. Its script
   * must be this package's `worker` entry. The engine owns it from here on.
   */
  readonly worker?: WorkerLike | (() => WorkerLike);
}

/**
 * Starts the engine's worker. Requests run one at a time: a second one is refused with `busy`, not queued. A worker
 * that dies rejects what is pending with `worker-died`; make a new engine then.
 */
export function createWorkerEngine(options: WorkerEngineOptions = {}): WorkerEngine {
  const { worker = defaultWorker, ...connectionOptions } = options;
  let info: EngineInfo | undefined;
  const onFault = (error: EngineError) => {
    if (error.details.reason === "model-taken-over") info = undefined; // by another tab
    options.onFault?.(error);
  };
  const connection = openConnection(typeof worker === "function" ? worker() : worker, {
    ...connectionOptions,
    onFault,
  });
  const persistence = createPersistence();

  async function load(source: ModelSource, loadOptions: WorkerLoadOptions = {}): Promise<EngineInfo> {
    checkSource("load a model", source);
    checkOptions("load a model", loadOptions, workerLoadRules);
    const { onProgress, signal, ...rest } = loadOptions;
    const deliver = each(onProgress);
    persistence.ask();
    try {
      info = await connection.call(
        (host, call) => host.load(call, absoluteSource(source), rest, deliver),
        signal,
      );
      return info;
    } catch (error) {
      // Only a refusal by the request that runs leaves the old model in place.
      if (!isEngineError(error, "busy") || error.details.reason !== undefined) info = undefined;
      throw error;
    }
  }

  return {
    get info() {
      return info;
    },
    load,
    chat: (request) => streamChat(connection, request),
    generate: (prompt, generateOptions) => streamTokens(connection, prompt, generateOptions),
    logits: (tokens, path, signal) =>
      connection.call((host, call) => host.logits(call, tokens, path), signal),
    capabilities: async (subject, capabilityOptions = {}) => {
      const isPublished = checkSubject(subject);
      checkOptions("tell whether a model can run", capabilityOptions, capabilityRules);
      const asked = isPublished ? subject : absoluteSource(subject);
      return connection.call((host) => host.capabilities(asked, capabilityOptions));
    },
    download: async (source, options = {}) => {
      checkSource("download a model", source);
      checkOptions("download a model", options, downloadRules);
      const { onProgress, signal, ...rest } = options;
      persistence.ask();
      return connection.call(
        (host, call) => host.download(call, absoluteSource(source), rest, each(onProgress)),
        signal,
      );
    },
    pauseDownload: () => connection.call((host) => host.pauseDownload()),
    resumeDownload: () => connection.call((host) => host.resumeDownload()),
    cancelDownload: ({ deletePartial = false } = {}) =>
      connection.call((host) => host.cancelDownload(deletePartial)),
    models: () => connection.call((host) => host.models()),
    storage: async () => {
      // The browser's figures are there also where the worker is not any more.
      const faults = connection.call((host) => host.storeFaults()).catch(() => []);
      return { ...(await persistence.facts()), failedStores: await faults };
    },
    verifyModel: (id, { onProgress, signal } = {}) =>
      connection.call((host, call) => host.verifyModel(call, id, each(onProgress)), signal),
    repairModel: (id, { onProgress, signal, source } = {}) => {
      const absolute = source === undefined ? undefined : absoluteSource(source);
      return connection.call((host, call) => host.repairModel(call, id, absolute, each(onProgress)), signal);
    },
    exportModel: (id, folder, { onProgress, signal } = {}) =>
      connection.call((host, call) => host.exportModel(call, id, folder, each(onProgress)), signal),
    deleteModel: (id) => connection.call((host) => host.deleteModel(id)),
    unload: async () => {
      info = undefined;
      await connection.call((host) => host.unload());
    },
    dispose: () => {
      info = undefined;
      connection.close();
    },
  };
}

/** True for a published shape; otherwise it must be a source. @throws request-invalid */
function checkSubject(
  subject: CapabilitySubject,
): subject is Extract<CapabilitySubject, { published: unknown }> {
  const what = "tell whether a model can run";
  const isPublished = isObject(subject) && "published" in subject;
  if (isPublished) checkOptions(what, subject, { published: oneOf(...Object.keys(publishedShapes)) });
  else checkSource(what, subject);
  return isPublished;
}

/** Takes batches and hands each item on. */
function each<T>(onItem: ((item: T) => void) | undefined): Deliver<T> {
  return async (batch) => {
    for (const item of batch) onItem?.(item);
  };
}

/** This exact expression is what bundlers look for. */
function defaultWorker(): Worker {
  if (typeof Worker === "undefined") {
    throw new EngineError(
      "request-invalid",
      "Cannot start the engine's worker: there is no Worker here. createWorkerEngine() is for pages in a browser; in Node, models run by the command line of the package (npm run cli, see README.md), or pass a worker of your own as `worker`.",
    );
  }
  return new Worker(new URL("../worker/worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu",
  });
}
