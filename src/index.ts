/**
 * gpt-oss-webgpu: OpenAI's gpt-oss models in the browser, on WebGPU, in a Web Worker. This file is the whole public
 * surface.
 *
 * ```ts
 * import { createWorkerEngine } from "gpt-oss-webgpu";
 *
 * const engine = createWorkerEngine();
 * await engine.load(
 *   { baseUrl: "https://huggingface.co/openai/gpt-oss-20b" },
 *   { onProgress: ({ phase, loadedBytes, totalBytes }) => show(phase, loadedBytes / totalBytes) },
 * );
 * const request = { messages: [{ role: "user", content: "What is 17 + 25?" }], reasoningEffort: "low" } as const;
 * for await (const event of engine.chat(request)) {
 *   if (event.type === "reasoning") reasoning += event.text; // unfiltered: not meant for end users as it is
 *   if (event.type === "content") answer += event.text;
 *   if (event.type === "done") console.log(event.finishReason, event.stats.decodeTokensPerSecond);
 * }
 * engine.dispose();
 * ```
 *
 * Every failure is an `EngineError` with a `code` from `errorCodes` and `details`.
 */
export type { HeartbeatOptions } from "./client/death-watch.ts";
export { droppedSource } from "./client/dropped-source.ts";
export type { StorageFacts } from "./client/persistence.ts";
export {
  createWorkerEngine,
  type StorageWorkOptions,
  type WorkerEngine,
  type WorkerEngineOptions,
} from "./client/worker-engine.ts";
export type { WorkerLike } from "./client/worker-like.ts";
export { EngineError, type ErrorCode, type ErrorDetails, errorCodes, isEngineError } from "./errors.ts";
export { checkJsonSchema } from "./grammar/check-json-schema.ts";
export type { KernelTuning } from "./kernels/tuning.ts";
export type { TuningOverrides } from "./kernels/tuning-candidates.ts";
export type { LoadStats } from "./model/upload.ts";
export type {
  CapabilityOptions,
  CapabilityProblem,
  CapabilityReport,
} from "./runtime/capability-report.ts";
export type {
  ChatEvent,
  ChatRequest,
  EngineInfo,
  FinishReason,
  GenerateOptions,
  GenerateStats,
  Generation,
  LoadOptions,
} from "./runtime/types.ts";
export type { RecoveryEvent } from "./text/chat-stream.ts";
export type {
  BuiltinToolName,
  ChatAbilities,
  ChatMessage,
  ReasoningOptions,
  ResponseFormat,
  ToolCall,
  ToolChoice,
} from "./text/chat-types.ts";
export type { FunctionTool, ReasoningEffort } from "./text/types.ts";
export type { BrowserBackend, BrowserDocument, SearchResult } from "./tools/browser/browser-backend.ts";
export {
  type BrowserTool,
  type BrowserToolOptions,
  createBrowserTool,
} from "./tools/browser/browser-tool.ts";
export type { CitationOptions } from "./tools/browser/citations.ts";
export { createDocumentBackend } from "./tools/browser/document-backend.ts";
export { createProxyBackend, type ProxyBackendOptions } from "./tools/browser/proxy-backend.ts";
export type { PythonWorker } from "./tools/python/python-session.ts";
export { createPythonTool, type PythonTool, type PythonToolOptions } from "./tools/python/python-tool.ts";
export { defineFunction, runTools } from "./tools/run-tools.ts";
export {
  type AnnotatedText,
  type ArgumentProblem,
  type BuiltinTool,
  type ChatEngine,
  type NumberedCall,
  type RunnableFunction,
  type RunToolsOptions,
  type ToolContext,
  type ToolEvent,
  ToolFailure,
  type ToolFailureReason,
  type ToolsEvent,
  type ToolsRequest,
  type TurnFinishReason,
  type UrlCitation,
} from "./tools/types.ts";
export type { StoreKind } from "./weights/chunk-store.ts";
export type { StoredFileSummary, StoredModelSummary } from "./weights/models.ts";
export { inspectFolder, type PickedFolder } from "./weights/picked-folder.ts";
export { parseSource } from "./weights/source-spec.ts";
export type {
  DirectoryLocation,
  FilesLocation,
  HubLocation,
  ModelSource,
  SourceLocation,
  SourceOptions,
  StoredLocation,
  UrlLocation,
} from "./weights/source-types.ts";
export type { StorageOptions } from "./weights/storage-options.ts";
export type { StoreFault } from "./weights/store-faults.ts";
export type { ByteProgress } from "./weights/types.ts";
export type { VerifyMode } from "./weights/verify-mode.ts";
export type { VerifiedFile, VerifyReport } from "./weights/verify-model.ts";
export type { OtherTabPolicy } from "./worker/model-locks.ts";
export type { CapabilitySubject, DownloadOptions, WorkerLoadOptions } from "./worker/protocol.ts";
