import { EngineError, throwIfAborted } from "../errors.ts";
import type { PauseSwitch } from "./types.ts";

/** Told of a pause or its end; `isOwn` where this tab's user asked for it. */
export type PauseListener = (isPaused: boolean, isOwn: boolean) => void;

/** A PauseSwitch with its handles. */
export interface Pause extends PauseSwitch {
  /** By this tab's user. */
  pause(): void;
  /** By this tab's user. */
  resume(): void;
  /** As another tab says it is. */
  set(isPaused: boolean): void;
  /**
   * Told of each change and of all that this tab's user asks for, also where that changes nothing here: another tab that
   * downloads may have missed it. Until the result is called.
   */
  watch(listener: PauseListener): () => void;
}

/** A pause that is off. */
export function createPause(): Pause {
  let controller = new AbortController();
  let waiting: (() => void)[] = [];
  const listeners = new Set<PauseListener>();

  function change(isPaused: boolean, isOwn: boolean): void {
    const isChange = isPaused !== controller.signal.aborted;
    if (isChange && isPaused) controller.abort();
    if (isChange && !isPaused) {
      controller = new AbortController();
      for (const go of waiting.splice(0)) go();
    }
    if (isChange || isOwn) for (const listener of listeners) listener(isPaused, isOwn);
  }

  return {
    get isPaused() {
      return controller.signal.aborted;
    },
    get signal() {
      return controller.signal;
    },
    pause: () => change(true, true),
    resume: () => change(false, true),
    set: (isPaused) => change(isPaused, false),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async resumed(signal) {
      while (controller.signal.aborted) {
        throwIfAborted(signal);
        await new Promise<void>((resolve, reject) => {
          const onAbort = () => {
            waiting = waiting.filter((other) => other !== go);
            reject(new EngineError("aborted", "The download was aborted while it was paused."));
          };
          const go = () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          };
          waiting.push(go);
          signal?.addEventListener("abort", onAbort, { once: true });
        });
      }
    },
  };
}
