import type { Deliver } from "./protocol.ts";

/** Gathers items while a delivery is on its way, so that a fast stream costs few messages. */
export interface Outbox<T> {
  push(item: T): void;
  /** Resolves once everything pushed so far has been taken. Rejects where a delivery failed. */
  flush(): Promise<void>;
}

/** An outbox over `deliver`: at most one delivery is under way, and the next one carries all that came meanwhile. */
export function createOutbox<T>(deliver: Deliver<T>): Outbox<T> {
  let waiting: T[] = [];
  let pump: Promise<void> | undefined;

  async function run(): Promise<void> {
    // One microtask, so that tokens which were read back together leave together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await deliver(batch);
    }
    pump = undefined;
  }

  return {
    push: (item) => {
      waiting.push(item);
      if (pump !== undefined) return;
      pump = run();
      pump.catch(() => {}); // `flush` reports it
    },
    flush: async () => {
      while (pump !== undefined) await pump;
    },
  };
}
