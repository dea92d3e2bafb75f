/** Every failure this library throws on purpose, by cause. The page and embedders switch on `code`. */
export const errorCodes = [
  "webgpu-unavailable", // no navigator.gpu (or no Dawn) here
  "adapter-unavailable", // WebGPU is there, but it gives no adapter
  "limit-exceeded", // the model needs more than a limit of this adapter allows
  "out-of-memory", // the GPU refused an allocation
  "device-lost", // the GPU device went away
  "shader-compile", // a kernel did not compile: details carry kernel, line, column
  "download-failed", // the network or the server
  "storage-full", // the browser refused to store more
  "storage-failed", // the browser's storage failed otherwise
  "checksum-mismatch", // stored bytes are not the bytes that were fetched
  "checkpoint-invalid", // config, header, index or tensor table is wrong
  "tokenizer-invalid", // tokenizer.json is unusable
  "request-invalid", // the caller's arguments
  "context-overflow", // prompt plus answer do not fit `contextLength`
  "not-loaded", // no model is loaded
  "busy", // the engine already serves a request
  "aborted", // the caller's AbortSignal
  "disposed", // used after dispose()
  "worker-died", // the worker ended or stopped answering
  "grammar-failed", // the worker that matches JSON schemas crashed or took too long
  "internal", // a broken invariant: our fault
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Facts of a failure, in a form that survives structured clone. */
export type ErrorDetails = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number)[]>
>;

/** The one error type: a message for people, a `code` for programs, `details` for both. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** True for an EngineError, also one from another realm or a duplicated package. */
export function isEngineError(error: unknown, code?: ErrorCode): error is EngineError {
  if (!(error instanceof Error) || error.name !== "EngineError" || !("code" in error)) return false;
  return code === undefined || error.code === code;
}

/** An EngineError as plain data for postMessage. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
  readonly stack: string | undefined;
}

/** Any thrown value as plain data; a foreign error becomes `internal`, an AbortError becomes `aborted`. */
export function toWireError(error: unknown): WireError {
  const known = toEngineError(error);
  return { code: known.code, message: known.message, details: known.details, stack: known.stack };
}

/** The EngineError that `toWireError` took apart. */
export function fromWireError(wire: WireError): EngineError {
  const error = new EngineError(wire.code, wire.message, { details: wire.details });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

/** Any thrown value as an EngineError; a foreign error becomes `internal`, an AbortError becomes `aborted`. */
export function toEngineError(error: unknown): EngineError {
  if (isEngineError(error)) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new EngineError("aborted", "The request was aborted.", { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new EngineError("internal", message, { cause: error });
}

/** Throws `aborted` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EngineError("aborted", "The request was aborted.");
}
