import { EngineError } from "../errors.ts";

/**
 * Any failure of the browser's storage as `storage-full` (quota), `busy` (another tab holds the file) or
 * `storage-failed`; an EngineError passes through.
 */
export function storageError(action: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const name = error instanceof Error ? error.name : "";
  const reason = error instanceof Error && error.message !== "" ? error.message : name || String(error);
  if (name === "QuotaExceededError") {
    return new EngineError(
      "storage-full",
      `The browser has no more room: ${action} failed. Free disk space or delete a stored model, then try again.`,
      { details: { reason }, cause: error },
    );
  }
  if (name === "NoModificationAllowedError") {
    return new EngineError(
      "busy",
      `Another tab of this site uses the stored model: ${action} failed. Close that tab or unload the model there, then try again.`,
      { details: { reason: "stored-model-in-use" }, cause: error },
    );
  }
  // What was deleted or cleared while a tab had it open answers once nobody holds it; Chromium's private file system,
  // once the browser was restarted.
  const isStuck = name === "TimeoutError" || name === "InvalidStateError";
  const advice = isStuck
    ? "Close the other tabs of this site, then try again; where that does not help, restart the browser."
    : "Private windows and blocked site data prevent storing models.";
  return new EngineError(
    "storage-failed",
    `The browser's storage failed: ${action} failed (${reason}). ${advice}`,
    { details: { reason, name }, cause: error },
  );
}

/** True where a stored file, not the storage, is at fault: it was removed, or cannot be read any more. */
export function isLostFile(error: unknown): boolean {
  return error instanceof Error && (error.name === "NotFoundError" || error.name === "NotReadableError");
}

/**
 * True where the connection, not the operation, may be at fault: site data cleared, or the database deleted. A
 * transaction that this hits has no error, or one of these.
 */
export function isClosedConnection(error: unknown): boolean {
  if (error === null || error === undefined) return true;
  return error instanceof Error && ["InvalidStateError", "AbortError", "UnknownError"].includes(error.name);
}
