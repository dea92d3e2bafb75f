import { isEngineError } from "../errors.ts";
import type { IfUnchanged } from "../weights/open-checkpoint.ts";
import type { ModelLocks } from "./model-locks.ts";

/** Does work under the lock of whoever changes a model; leaves it out where another tab has that. */
export function ifUnchangedElsewhere(locks: ModelLocks): IfUnchanged {
  return async (id, work) => {
    const free = await locks.hold("download", id, { policy: "refuse" }).catch((error: unknown) => {
      if (!isEngineError(error, "busy")) throw error;
    });
    if (free === undefined) return;
    try {
      await work();
    } finally {
      await free();
    }
  };
}
