/** One end of a line to a worker that answers requests in order. */
export interface WorkerPort<Request, Reply> {
  /** The memory of `transfer` goes over with the request and is lost here. */
  post(request: Request, transfer?: readonly ArrayBuffer[]): void;
  onReply(listener: (reply: Reply) => void): void;
  /** The worker ended by itself, or could not be started. */
  onDeath(listener: (reason: string) => void): void;
  close(): void;
}

/** The worker died, refused or fell silent: what it was asked must be done elsewhere. */
export class WorkerLost extends Error {}

/** A worker as seen by who asks it. Every call settles: by an answer, the worker's death, its silence, or `close`. */
export interface WorkerLine<Request, Reply> {
  /** @throws WorkerLost, or what `close` was given; once it has thrown, so does every later call */
  ask(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Reply>;
  /** Calls that wait for their answer. */
  readonly numPending: number;
  /** Ends the worker; what is pending fails with `error`. */
  close(error: Error): void;
}

/** `name` is what messages call the worker; it may take `waitMs` for each answer. A reply with an `error` is its last. */
export function createWorkerLine<Request, Reply extends { readonly error?: string }>(
  port: WorkerPort<Request, Reply>,
  { name, waitMs }: { readonly name: string; readonly waitMs: number },
): WorkerLine<Request, Reply> {
  const pending: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  let end: Error | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function endWith(error: Error): void {
    if (end !== undefined) return;
    end = error;
    clearTimeout(timer);
    port.close();
    for (const { reject } of pending.splice(0)) reject(error);
  }
  const lose = (reason: string) => endWith(new WorkerLost(`The ${name} is lost: ${reason}.`));

  function watch(): void {
    clearTimeout(timer);
    if (pending.length > 0) timer = setTimeout(() => lose(`no answer for ${waitMs / 1000} s`), waitMs);
  }

  port.onDeath(lose);
  port.onReply((reply) => {
    if (reply.error !== undefined) return lose(reply.error);
    pending.shift()?.resolve(reply);
    watch();
  });

  return {
    ask: (request, transfer = []) =>
      new Promise((resolve, reject) => {
        if (end !== undefined) return reject(end);
        pending.push({ resolve, reject });
        if (pending.length === 1) watch();
        try {
          port.post(request, transfer);
        } catch (error) {
          lose(error instanceof Error ? error.message : String(error));
        }
      }),
    get numPending() {
      return pending.length;
    },
    close: endWith,
  };
}
