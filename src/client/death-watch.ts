import type { HostApi } from "../worker/protocol.ts";
import type { WorkerLike } from "./worker-like.ts";

/** How a worker that stopped answering is noticed. */
export interface HeartbeatOptions {
  /** Pause between two questions, in ms. Default 1000. */
  readonly intervalMs?: number;
  /**
   * Questions in a row without an answer until the worker counts as dead. Default 30: reading a large tokenizer
   * keeps a healthy worker busy for seconds. Counted in questions, not by the clock, so that a sleeping laptop or a
   * throttled tab is not mistaken for a death.
   */
  readonly allowedMisses?: number;
}

export interface DeathWatch {
  /** The heartbeat runs only while something is pending: an idle page wakes nobody. */
  setPending(isPending: boolean): void;
  stop(): void;
}

interface WatchOptions {
  readonly worker: WorkerLike;
  readonly host: HostApi;
  readonly heartbeat: HeartbeatOptions;
  readonly locks: LockManager | undefined;
  /** Called once, with how the death showed. */
  readonly onDeath: (reason: string) => void;
}

/**
 * Watches a worker in three ways: its `error` event (a script that does not load), a Web Lock that the browser frees
 * when the worker ends, and a heartbeat. `hello` is the answer to the greeting, with the name of the lock.
 */
export function watchForDeath(hello: Promise<string | undefined>, options: WatchOptions): DeathWatch {
  const { worker, onDeath } = options;
  const stopped = new AbortController();

  function die(reason: string): void {
    if (stopped.signal.aborted) return;
    stop();
    onDeath(reason);
  }
  const onError = (event: Event) => {
    const message = "message" in event && typeof event.message === "string" ? event.message : "";
    die(message === "" ? "its script could not be loaded" : `its script failed: ${message}`);
  };
  const heartbeat = createHeartbeat(options.host, options.heartbeat, () => die("it stopped answering"));

  function stop(): void {
    stopped.abort();
    heartbeat.setRunning(false);
    worker.removeEventListener("error", onError);
  }

  worker.addEventListener("error", onError);
  let isPending = false;
  let hasAnswered = false;
  hello
    .then((lockName) => {
      hasAnswered = true;
      heartbeat.setRunning(isPending && !stopped.signal.aborted);
      if (lockName !== undefined) waitForLock(options.locks, lockName, stopped.signal, () => die("it ended"));
    })
    .catch((error: unknown) => die(`it did not start: ${String(error)}`));

  return {
    setPending: (now) => {
      isPending = now;
      heartbeat.setRunning(now && hasAnswered && !stopped.signal.aborted);
    },
    stop,
  };
}

function createHeartbeat(host: HostApi, options: HeartbeatOptions, onSilence: () => void) {
  const { intervalMs = 1000, allowedMisses = 30 } = options;
  let timer: ReturnType<typeof setInterval> | undefined;
  let misses = 0;
  let isWaiting = false;

  function beat(): void {
    if (isWaiting) {
      misses += 1;
      if (misses >= allowedMisses) onSilence();
      return;
    }
    isWaiting = true;
    host.ping().then(
      () => {
        isWaiting = false;
        misses = 0;
      },
      () => {}, // counts as silence
    );
  }

  return {
    setRunning: (shouldRun: boolean) => {
      if (shouldRun === (timer !== undefined)) return;
      misses = 0;
      clearInterval(timer);
      timer = shouldRun ? setInterval(beat, intervalMs) : undefined;
    },
  };
}

/** Calls `onFree` when the holder of the lock is gone. */
function waitForLock(
  locks: LockManager | undefined,
  name: string,
  signal: AbortSignal,
  onFree: () => void,
): void {
  if (locks === undefined) return;
  locks.request(name, { signal }, () => onFree()).catch(() => {}); // aborted by `stop`, or refused: the heartbeat stays
}
