import { createOutbox } from "./outbox.ts";
import type { Deliver } from "./protocol.ts";

/** Runs `work` with a way to push items, and returns only when all of them were taken, also where it throws. */
export async function delivering<T, R>(
  deliver: Deliver<T>,
  work: (push: (item: T) => void) => Promise<R>,
): Promise<R> {
  const outbox = createOutbox(deliver);
  try {
    return await work((item) => outbox.push(item));
  } finally {
    await outbox.flush();
  }
}
