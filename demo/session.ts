import {
  type ByteProgress,
  type ChatEvent,
  type ChatRequest,
  createWorkerEngine,
  EngineError,
  type EngineInfo,
  isEngineError,
  type OtherTabPolicy,
  type WorkerEngine,
  type WorkerEngineOptions,
} from "../src/index.ts";
import { type ModelChoice, sameChoice } from "./model-choices.ts";

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
export type SessionEngine = Pick<WorkerEngine, "load" | "chat" | "dispose" | "capabilities" | "storage"> &
  Pick<WorkerEngine, "download" | "pauseDownload" | "resumeDownload" | "models"> &
  Pick<WorkerEngine, "verifyModel" | "repairModel" | "exportModel" | "deleteModel">;

/** The page's one engine; a worker or device that died is replaced at the next use. */
export interface Session {
  readonly status: () => ModelStatus;
  /**
   * Loads `choice` unless it is loaded already. `prepare` runs first; where it fails, nothing is loaded, and what was
   * loaded stays. Rejects with EngineError.
   */
  load(choice: ModelChoice, signal: AbortSignal, prepare?: () => Promise<unknown>): Promise<void>;
  /** Takes the model from the tab that a load waits for. Without a load, nothing happens. */
  takeOver(): void;
  chat(request: ChatRequest): AsyncIterable<ChatEvent>;
  /** The engine of this moment, for work on what is stored and for reports. */
  engine(): SessionEngine;
}

/** Failures after which the model has to be loaded anew, in a new worker. */
const fatalCodes: ReadonlySet<string> = new Set(["worker-died", "device-lost", "disposed", "out-of-memory"]);

/** A session without a model. The worker starts at the first use. */
export function createSession(options: SessionOptions): Session {
  const { chunkBytes, onStatus, createEngine = createWorkerEngine } = options;
  let engine: SessionEngine | undefined;
  let status: ModelStatus = { state: "idle" };
  let takeOver = () => {};

  function setStatus(next: ModelStatus): void {
    status = next;
    onStatus(next);
  }

  function fail(error: unknown): void {
    if (!isEngineError(error)) return;
    const isFatal = fatalCodes.has(error.code);
    if (!isFatal && error.details.reason !== "model-taken-over") return;
    if (isFatal) {
      engine?.dispose();
      engine = undefined;
    }
    if (status.state === "ready") setStatus({ state: "error", choice: status.choice, error });
  }

  function liveEngine(): SessionEngine {
    engine ??= createEngine({ onFault: fail });
    return engine;
  }

  /** Loads as often as it takes: a takeover ends the load that waits, and begins another. */
  async function loadHere(choice: ModelChoice, signal: AbortSignal): Promise<EngineInfo> {
    const source = { ...choice.source, ...(chunkBytes === undefined ? {} : { chunkBytes }) };
    let otherTab: OtherTabPolicy = "wait";
    for (;;) {
      const waiting = new AbortController();
      takeOver = () => {
        otherTab = "take-over";
        waiting.abort();
      };
      try {
        return await liveEngine().load(source, {
          ...choice.settings,
          otherTab,
          onProgress: (progress) => setStatus({ state: "loading", choice, progress }),
          signal: AbortSignal.any([signal, waiting.signal]),
        });
      } catch (error) {
        if (!waiting.signal.aborted || signal.aborted || !isEngineError(error, "aborted")) throw error;
      } finally {
        takeOver = () => {};
      }
    }
  }

  async function prepared(choice: ModelChoice, former: ModelStatus, prepare: () => Promise<unknown>) {
    try {
      await prepare();
    } catch (error) {
      const known = isEngineError(error) ? error : new EngineError("internal", String(error));
      const isStillThere = former.state === "ready" && engine !== undefined;
      setStatus(isStillThere ? former : { state: "error", choice, error: known });
      throw known;
    }
  }

  async function load(
    choice: ModelChoice,
    signal: AbortSignal,
    prepare?: () => Promise<unknown>,
  ): Promise<void> {
    if (status.state === "ready" && sameChoice(status.choice, choice)) return;
    const former = status;
    const starting: ModelStatus = { state: "loading", choice, progress: undefined };
    setStatus(starting);
    if (prepare !== undefined) await prepared(choice, former, prepare);
    try {
      const info = await loadHere(choice, signal);
      setStatus({ state: "ready", choice, info });
    } catch (error) {
      const known = isEngineError(error) ? error : new EngineError("internal", String(error));
      fail(known);
      if (known.code === "aborted") setStatus({ state: "idle" });
      else if (known.code !== "busy" || known.details.reason !== undefined)
        setStatus({ state: "error", choice, error: known });
      // A refusal by the request that runs changes nothing, unless what runs instead has shown its progress meanwhile.
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
    takeOver: () => takeOver(),
    chat,
    engine: liveEngine,
  };
}
