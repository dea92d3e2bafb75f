import type { WireError } from "../errors.ts";
import type { PublishedShape } from "../format/published-shapes.ts";
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
import type { StorageOptions } from "../weights/storage-options.ts";
import type { StoreFault } from "../weights/store-faults.ts";
import type { ByteProgress } from "../weights/types.ts";
import type { VerifyReport } from "../weights/verify-model.ts";
import type { OtherTabPolicy } from "./model-locks.ts";

/** A model that is asked about: where it lies, or one that OpenAI published, about which nothing need be fetched. */
export type CapabilitySubject = ModelSource | { readonly published: PublishedShape };

/** How a model is loaded in a browser. */
export interface WorkerLoadOptions extends LoadOptions, StorageOptions {
  /**
   * What to do where another tab of this site has the model on the GPU. Default `wait`: progress shows
   * `waiting-for-other-tab` until that tab unloads the model, closes or dies. A download in another tab is waited for,
   * unless this is `take-over`.
   */
  readonly otherTab?: OtherTabPolicy;
}

/** How a model is fetched into storage. */
export interface DownloadOptions extends StorageOptions {
  /**
   * What to do where another tab of this site downloads the model already, or verifies, repairs or exports what is stored of it. Default
   * `wait`: progress shows that tab's. There is no `share`: one tab writes at a time. A tab that has it on the GPU is in nobody's way.
   */
  readonly otherTab?: Exclude<OtherTabPolicy, "share">;
  readonly onProgress?: (progress: ByteProgress) => void;
  readonly signal?: AbortSignal;
}

/** Options that can be cloned; progress and abort travel apart. */
export type WireLoadOptions = Omit<WorkerLoadOptions, "onProgress" | "signal">;
export type WireDownloadOptions = Omit<DownloadOptions, "onProgress" | "signal">;
export type WireChatRequest = Omit<ChatRequest, "signal">;
export type WireGenerateOptions = Omit<GenerateOptions, "signal">;
export type GenerationResult = Awaited<Generation["result"]>;

/** Hands over what has gathered; resolves once the other side has taken it. */
export type Deliver<T> = (batch: readonly T[]) => Promise<void>;

/** Raised with every change of HostApi that the other side would misread: a page may outlive the script of its worker. */
export const protocolVersion = 1;

/** Names a request, so that `abort` can speak of it. The client counts up. */
export type CallId = number;

/**
 * What the worker offers to its one client. Every method rejects with EngineError.
 * Requests (whatever has a CallId) run one at a time: a second one is refused with `busy`.
 */
export interface HostApi {
  /**
   * Registers the client. Resolves to the name of a Web Lock that the worker holds as long as it lives.
   * @throws request-invalid where the client speaks another version of this protocol
   */
  hello(onFault: (error: WireError) => void, version: number): Promise<string | undefined>;
  /** The heartbeat. */
  ping(): Promise<void>;
  load(
    call: CallId,
    source: ModelSource,
    options: WireLoadOptions,
    deliver: Deliver<ByteProgress>,
  ): Promise<EngineInfo>;
  chat(call: CallId, request: WireChatRequest, deliver: Deliver<ChatEvent>): Promise<void>;
  generate(
    call: CallId,
    prompt: readonly number[],
    options: WireGenerateOptions,
    deliver: Deliver<number>,
  ): Promise<GenerationResult>;
  logits(call: CallId, tokens: readonly number[], path: "prefill" | "decode"): Promise<Float32Array>;
  /** Fires the AbortSignal of a request. Unknown and finished ones are ignored. */
  abort(call: CallId): Promise<void>;
  /** Aborts the running request, waits for its end and frees the model. */
  unload(): Promise<void>;
  /** Says whether a model can run here. Reads config.json and headers at most, and stores nothing. Runs beside requests. */
  capabilities(subject: CapabilitySubject, options: CapabilityOptions): Promise<CapabilityReport>;
  /** Fetches a model without loading it. */
  download(
    call: CallId,
    source: ModelSource,
    options: WireDownloadOptions,
    deliver: Deliver<ByteProgress>,
  ): Promise<StoredModelSummary>;
  /** Holds the download under way up; without one, nothing happens. */
  pauseDownload(): Promise<void>;
  resumeDownload(): Promise<void>;
  /** Aborts the download under way and waits for its end. */
  cancelDownload(deletePartial: boolean): Promise<void>;
  models(): Promise<readonly StoredModelSummary[]>;
  /** The browser's stores that do not answer. */
  storeFaults(): Promise<readonly StoreFault[]>;
  verifyModel(call: CallId, id: string, deliver: Deliver<ByteProgress>): Promise<VerifyReport>;
  repairModel(
    call: CallId,
    id: string,
    source: ModelSource | undefined,
    deliver: Deliver<ByteProgress>,
  ): Promise<VerifyReport>;
  exportModel(
    call: CallId,
    id: string,
    folder: FileSystemDirectoryHandle,
    deliver: Deliver<ByteProgress>,
  ): Promise<void>;
  /** Deletes a stored model. @throws busy while a request runs, or where another tab uses the model */
  deleteModel(id: string): Promise<void>;
}
