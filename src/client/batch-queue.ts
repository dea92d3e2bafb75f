/** Batches that one side pushes and the other takes one by one, with an end or a failure behind the last. */
export interface BatchQueue<T> {
  push(batch: readonly T[]): void;
  /** No more batches: with an error, taking rejects once the batches before it are taken. */
  close(error?: unknown): void;
  /** The next items, everything that has gathered; undefined after the end. */
  take(): Promise<readonly T[] | undefined>;
}

/** An unbounded queue for one taker: an answer is never longer than the context. */
export function createBatchQueue<T>(): BatchQueue<T> {
  let gathered: T[] = [];
  let closed: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;

  function signal(): void {
    wake?.();
    wake = undefined;
  }

  return {
    push: (batch) => {
      if (closed !== undefined) return;
      gathered.push(...batch);
      signal();
    },
    close: (error) => {
      closed ??= { error };
      signal();
    },
    take: async () => {
      while (gathered.length === 0 && closed === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (gathered.length > 0) {
        const items = gathered;
        gathered = [];
        return items;
      }
      if (closed?.error !== undefined) throw closed.error;
      return undefined;
    },
  };
}
