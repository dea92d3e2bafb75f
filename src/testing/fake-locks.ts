/** Web Locks of one browser in memory. (Node 20 has none.) */
export interface FakeLocks {
  readonly locks: LockManager;
  /** Frees everything that is held or waited for under names that contain `part`, as the end of a tab does. */
  killHolders(part: string): void;
}

interface Request {
  readonly name: string;
  readonly callback: (lock: Lock | null) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export function createFakeLocks(): FakeLocks {
  const held = new Map<string, Request>();
  const queue: Request[] = [];

  function grant(request: Request): void {
    held.set(request.name, request);
    const lock: Lock = { name: request.name, mode: "exclusive" };
    Promise.resolve()
      .then(() => request.callback(lock))
      .then(request.resolve, request.reject)
      .finally(() => {
        if (held.get(request.name) === request) free(request.name);
      });
  }

  function free(name: string): void {
    held.delete(name);
    const next = queue.findIndex((request) => request.name === name);
    const [request] = next < 0 ? [] : queue.splice(next, 1);
    if (request !== undefined) grant(request);
  }

  function ask(request: Request, { ifAvailable, steal, signal }: LockOptions): void {
    const holder = held.get(request.name);
    if (signal?.aborted) {
      request.reject(signal.reason);
      return;
    }
    if (holder === undefined || steal) {
      holder?.reject(new DOMException("stolen", "AbortError"));
      grant(request);
      return;
    }
    if (ifAvailable)
      return void Promise.resolve(request.callback(null)).then(request.resolve, request.reject);
    queue.push(request);
    signal?.addEventListener("abort", () => {
      const at = queue.indexOf(request);
      if (at >= 0) queue.splice(at, 1);
      if (held.get(request.name) !== request) request.reject(signal.reason);
    });
  }

  const locks = {
    request: (name: string, options: LockOptions, callback: Request["callback"]) =>
      new Promise((resolve, reject) => ask({ name, callback, resolve, reject }, options)),
  };
  return {
    locks: locks as unknown as LockManager,
    killHolders(part) {
      for (const name of [...held.keys()]) if (name.includes(part)) free(name);
    },
  };
}
