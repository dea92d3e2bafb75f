import { isEngineError } from "../errors.ts";
import type { CapabilityOptions, CapabilityReport } from "../runtime/capability-report.ts";
import type {
  ChatEvent,
  ChatRequest,
  EngineInfo,
  GenerateOptions,
  Generation,
  LoadOptions,
} from "../runtime/types.ts";
import type { StoredModelSummary } from "../weights/models.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { CapabilitySubject } from "../worker/protocol.ts";
import { absoluteSource } from "./absolute-source.ts";
import { type ConnectionOptions, openConnection } from "./connection.ts";
import { streamChat, streamTokens } from "./streams.ts";
import type { WorkerLike } from "./worker-like.ts";

/** A model in a worker. See `createWorkerEngine`. */
export interface WorkerEngine {
  /** What is loaded; undefined where nothing is. */
  readonly info: EngineInfo | undefined;
  /**
   * Fetches what is missing of a checkpoint into this browser's storage, then streams it to the GPU, replacing what
   * was loaded. Progress comes in two phases, each monotone and ending at its total. Aborting keeps what was stored.
   * @throws webgpu-unavailable | adapter-unavailable | limit-exceeded | out-of-memory | device-lost | shader-compile
   * | download-failed | storage-full | storage-failed | checksum-mismatch | checkpoint-invalid | tokenizer-invalid
   * | request-invalid | busy | aborted | disposed | worker-died
   */
  load(source: ModelSource, options?: LoadOptions): Promise<EngineInfo>;
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
  /** The checkpoints in this browser's storage. */
  models(): Promise<readonly StoredModelSummary[]>;
  /** Deletes a stored checkpoint. What is on the GPU stays. @throws busy while a request runs */
  deleteModel(id: string): Promise<void>;
  /** Aborts the running request and frees the model. The worker stays. */
  unload(): Promise<void>;
  /** Ends the worker and frees everything but the stored files. What is pending rejects with `disposed`. */
  dispose(): void;
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
  const connection = openConnection(typeof worker === "function" ? worker() : worker, connectionOptions);
  let info: EngineInfo | undefined;

  async function load(source: ModelSource, loadOptions: LoadOptions = {}): Promise<EngineInfo> {
    const { onProgress, signal, ...rest } = loadOptions;
    const absolute = absoluteSource(source);
    const deliver = async (batch: readonly Parameters<NonNullable<typeof onProgress>>[0][]) => {
      for (const progress of batch) onProgress?.(progress);
    };
    try {
      info = await connection.call((host, call) => host.load(call, absolute, rest, deliver), signal);
      return info;
    } catch (error) {
      // Only a refusal leaves the old model in place.
      if (!isEngineError(error, "busy")) info = undefined;
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
    capabilities: (subject, capabilityOptions = {}) =>
      connection.call((host) =>
        host.capabilities("published" in subject ? subject : absoluteSource(subject), capabilityOptions),
      ),
    models: () => connection.call((host) => host.models()),
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

/** This exact expression is what bundlers look for. */
function defaultWorker(): Worker {
  return new Worker(new URL("../worker/worker.ts", import.meta.url), {
    type: "module",
    name: "gpt-oss-webgpu",
  });
}
