import { type EngineError, isEngineError } from "../errors.ts";

/** The error that a promise rejects with; throws where it is fulfilled, or rejects with another kind of error. */
export async function failure(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => new Error("it was fulfilled"),
    (reason: unknown) => reason,
  );
  if (!isEngineError(error)) throw error;
  return error;
}
