import { EngineError, fromWireError, type WireError } from "../errors.ts";
import { connect } from "../worker/connect.ts";
import { type CallId, type HostApi, protocolVersion } from "../worker/protocol.ts";
import { type HeartbeatOptions, watchForDeath } from "./death-watch.ts";
import { createDeferred } from "./deferred.ts";
import type { WorkerLike } from "./worker-like.ts";

export interface ConnectionOptions {
  readonly heartbeat?: HeartbeatOptions;
  /** Default: the page's, where it has them. */
  readonly locks?: LockManager;
  /** Told of the worker's death, and of faults in it that no request awaited. */
  readonly onFault?: (error: EngineError) => void;
}

/** Calls to a worker that settle whatever happens to it. */
export interface Connection {
  /**
   * One call. Rejects with `worker-died` if the worker ends, with `disposed` after `close`; `signal` is bridged by an
   * abort message and the worker's own answer is awaited.
   */
  call<T>(send: (host: HostApi, call: CallId) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Ends the worker; what is pending and what comes later rejects with `disposed`. */
  close(): void;
}

/** Greets the worker and watches it until `close`. */
export function openConnection(worker: WorkerLike, options: ConnectionOptions = {}): Connection {
  const host = connect(worker);
  const pending = new Set<(error: EngineError) => void>();
  let ended: EngineError | undefined;
  let lastCall: CallId = 0;

  function end(error: EngineError): void {
    ended = error;
    watch.stop();
    worker.terminate();
    for (const reject of [...pending]) reject(error);
  }

  function onFault(wire: WireError): void {
    options.onFault?.(fromWireError(wire));
  }

  function onDeath(reason: string): void {
    const error = new EngineError(
      "worker-died",
      `The worker of the engine is gone: ${reason}. Make a new engine and load the model again; what was downloaded is kept.`,
      { details: { reason } },
    );
    end(error);
    options.onFault?.(error);
  }

  const watch = watchForDeath(host.hello(onFault, protocolVersion), {
    worker,
    host,
    heartbeat: options.heartbeat ?? {},
    locks: options.locks ?? globalThis.navigator?.locks,
    onDeath,
  });

  function call<T>(send: (host: HostApi, call: CallId) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (ended !== undefined) return Promise.reject(ended);
    lastCall += 1;
    const id = lastCall;
    const { promise, resolve, reject } = createDeferred<T>();
    const onAbort = () => void host.abort(id);
    pending.add(reject);
    watch.setPending(true);
    send(host, id).then(resolve, reject);
    // After the request itself: messages arrive in order, so the worker knows the call by then.
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    return promise.finally(() => {
      signal?.removeEventListener("abort", onAbort);
      pending.delete(reject);
      watch.setPending(pending.size > 0);
    });
  }

  return {
    call,
    close: () => {
      if (ended === undefined || ended.code !== "disposed") end(disposedError());
    },
  };
}

function disposedError(): EngineError {
  return new EngineError("disposed", "The engine was disposed of. Make a new one.");
}
