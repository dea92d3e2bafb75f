import { EngineError, throwIfAborted } from "../errors.ts";

/**
 * What to do where another tab has the same model on the GPU: wait until that tab gives it up or dies, refuse with
 * `busy`, take it from that tab, or load it a second time (graphics memory must hold it twice).
 */
export type OtherTabPolicy = "wait" | "refuse" | "take-over" | "share";

export interface HoldOptions {
  readonly policy: OtherTabPolicy;
  /** Called once where another tab holds the lock and this one waits. */
  readonly onWaiting?: () => void;
  /** Called where another tab takes the lock over. */
  readonly onLost?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/** Gives a lock back; resolves once others can take it. */
export type Free = () => Promise<void>;

/** Locks on a model over all tabs of this site. The browser frees those of a tab that closes or crashes. */
export interface ModelLocks {
  /**
   * Takes a lock.
   * @throws busy with reason `model-in-other-tab` where the policy is to refuse | aborted
   */
  hold(what: "download" | "engine", id: string, options: HoldOptions): Promise<Free>;
}

/** Over the browser's Web Locks; where there are none every lock is free. */
export function createModelLocks(locks: LockManager | undefined): ModelLocks {
  return {
    async hold(what, id, { policy, onWaiting, onLost, signal }) {
      throwIfAborted(signal);
      if (locks === undefined || policy === "share") return async () => {};
      const name = `gpt-oss-webgpu:${what}:${id}`;
      const held = await request(locks, name, { ifAvailable: true }, onLost);
      if (held !== undefined) return held;
      if (policy === "refuse") throw inOtherTab(id);
      if (policy === "wait") onWaiting?.();
      const options = policy === "take-over" ? { steal: true } : signal === undefined ? {} : { signal };
      const free = await request(locks, name, options, onLost).catch((error: unknown) => {
        throwIfAborted(signal);
        throw error;
      });
      return free ?? (async () => {});
    },
  };
}

/** Resolves to the way to free the lock once it is held, and to undefined where it was not available. */
function request(
  locks: LockManager,
  name: string,
  options: LockOptions,
  onLost: (() => void) | undefined,
): Promise<Free | undefined> {
  return new Promise((resolve, reject) => {
    let isHeld = false;
    let isFreed = false;
    const ended = locks.request(name, options, (lock) => {
      if (lock === null) return resolve(undefined);
      isHeld = true;
      return new Promise<void>((free) => {
        resolve(() => {
          isFreed = true;
          free();
          return ended.then(
            () => {},
            () => {}, // taken over meanwhile
          );
        });
      });
    });
    ended.catch((error: unknown) => {
      if (!isHeld) reject(error);
      else if (!isFreed) onLost?.(); // only a theft ends a lock that is held
    });
  });
}

/** The refusal of work on a model that another tab works on. */
export function inOtherTab(id: string): EngineError {
  return new EngineError(
    "busy",
    `Another tab of this site uses the model ${id}. Use it there, close that tab, or load or download it with otherTab: "take-over".`,
    { details: { reason: "model-in-other-tab", id } },
  );
}

/** What the tab is told that another one took the model from. */
export function takenOver(id: string): EngineError {
  return new EngineError("busy", `Another tab of this site took the model ${id} over.`, {
    details: { reason: "model-taken-over", id },
  });
}
