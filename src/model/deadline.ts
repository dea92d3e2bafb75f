import { EngineError, throwIfAborted } from "../errors.ts";

/** Work that must end by a time, or at once where a signal fires. */
export interface Deadline {
  /** Milliseconds that are left, at least 0. */
  left(): number;
  /** The result, or undefined where the time is over first; the work itself goes on unheeded. @throws aborted */
  within<T>(work: Promise<T>): Promise<T | undefined>;
}

export interface DeadlineOptions {
  readonly milliseconds: number;
  readonly clock: () => number;
  readonly signal?: AbortSignal | undefined;
}

export function createDeadline({ milliseconds, clock, signal }: DeadlineOptions): Deadline {
  const end = clock() + milliseconds;
  const left = () => Math.max(0, end - clock());
  return {
    left,
    async within(work) {
      work.catch(() => {}); // heard of below, or nobody waits any more
      throwIfAborted(signal);
      const leftMs = left();
      if (leftMs === 0) return undefined;
      let stop = () => {};
      const over = new Promise<undefined>((resolve, reject) => {
        const timer = setTimeout(resolve, leftMs, undefined);
        const onAbort = () => reject(new EngineError("aborted", "The request was aborted."));
        signal?.addEventListener("abort", onAbort, { once: true });
        stop = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
        };
      });
      try {
        return await Promise.race([work, over]);
      } finally {
        stop();
      }
    },
  };
}
