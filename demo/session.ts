import {
  type ByteProgress,
  type ChatEvent,
  type ChatRequest,
  createWorkerEngine,
  EngineError,
  type EngineInfo,
  isEngineError,
  type StoredModelSummary,
  type WorkerEngine,
  type WorkerEngineOptions,
} from "../src/index.ts";
import type { ModelChoice } from "./model-choices.ts";

/** What the page shows of the model. */
export type ModelStatus =
  | { readonly state: "idle" }
  | { readonly state: "loading"; readonly choice: ModelChoice; readonly progress: ByteProgress | undefined }
  | { readonly state: "ready"; readonly choice: ModelChoice; readonly info: EngineInfo }
  | { readonly state: "error"; readonly choice: ModelChoice; readonly error: EngineError };

export interface SessionOptions {
  readonly chunkBytes: number | undefined;
  readonly onStatus: (status: ModelStatus) => void;
  /** Starts an engine in a worker; replaced in tests. */
  readonly createEngine?: (options: WorkerEngineOptions) => SessionEngine;
}

/** What a session uses of an engine. */
export type SessionEngine = Pick<WorkerEngine, "load" | "chat" | "models" | "deleteModel" | "dispose">;

/** The page's one engine; a worker or device that died is replaced at the next use. */
export interface Session {
  readonly status: () => ModelStatus;
  /** Loads `choice` unless it is loaded already. Rejects with EngineError. */
  load(choice: ModelChoice, signal: AbortSignal): Promise<void>;
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  models(): Promise<readonly StoredModelSummary[]>;
  deleteModel(id: string): Promise<void>;
}

/** Failures after which the model has to be loaded anew, in a new worker. */
const fatalCodes: ReadonlySet<string> = new Set(["worker-died", "device-lost", "disposed", "out-of-memory"]);

/** A session without a model. The worker starts at the first use. */
export function createSession(options: SessionOptions): Session {
  const { chunkBytes, onStatus, createEngine = createWorkerEngine } = options;
  let engine: SessionEngine | undefined;
  let status: ModelStatus = { state: "idle" };

  function setStatus(next: ModelStatus): void {
    status = next;
    onStatus(next);
  }

  function fail(error: unknown): void {
    if (!isEngineError(error) || !fatalCodes.has(error.code)) return;
    engine?.dispose();
    engine = undefined;
    if (status.state === "ready") setStatus({ state: "error", choice: status.choice, error });
  }

  function liveEngine(): SessionEngine {
    engine ??= createEngine({ onFault: fail });
    return engine;
  }

  async function load(choice: ModelChoice, signal: AbortSignal): Promise<void> {
    if (status.state === "ready" && status.choice.baseUrl === choice.baseUrl) return;
    const former = status;
    const starting: ModelStatus = { state: "loading", choice, progress: undefined };
    setStatus(starting);
    try {
      const source = { baseUrl: choice.baseUrl, ...(chunkBytes === undefined ? {} : { chunkBytes }) };
      const info = await liveEngine().load(source, {
        onProgress: (progress) => setStatus({ state: "loading", choice, progress }),
        signal,
      });
      setStatus({ state: "ready", choice, info });
    } catch (error) {
      const known = isEngineError(error) ? error : new EngineError("internal", String(error));
      fail(known);
      if (known.code === "aborted") setStatus({ state: "idle" });
      else if (known.code !== "busy") setStatus({ state: "error", choice, error: known });
      // A refusal changes nothing, unless what runs instead has shown its progress meanwhile.
      else if (status === starting) setStatus(former);
      throw known;
    }
  }

  async function* chat(request: ChatRequest): AsyncGenerator<ChatEvent, void, undefined> {
    try {
      yield* liveEngine().chat(request);
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  return {
    status: () => status,
    load,
    chat,
    models: () => liveEngine().models(),
    deleteModel: (id) => liveEngine().deleteModel(id),
  };
}
