import { EngineError } from "../errors.ts";

/** Any failure of IndexedDB as `storage-full` (quota) or `storage-failed`; an EngineError passes through. */
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
  return new EngineError(
    "storage-failed",
    `The browser's storage failed: ${action} failed (${reason}). Private windows and blocked site data prevent storing models.`,
    { details: { reason, name }, cause: error },
  );
}

/** True where the connection, not the operation, is at fault: site data cleared, or the database deleted. */
export function isClosedConnection(error: unknown): boolean {
  return error instanceof Error && error.name === "InvalidStateError";
}
