import { EngineError, throwIfAborted } from "../errors.ts";
import type { PauseSwitch } from "./types.ts";

/** A PauseSwitch with its handles. */
export interface Pause extends PauseSwitch {
  pause(): void;
  resume(): void;
  /** Told of each change, until the result is called. */
  watch(listener: (isPaused: boolean) => void): () => void;
}

/** A pause that is off. */
export function createPause(): Pause {
  let controller = new AbortController();
  let waiting: (() => void)[] = [];
  const listeners = new Set<(isPaused: boolean) => void>();
  return {
    get isPaused() {
      return controller.signal.aborted;
    },
    get signal() {
      return controller.signal;
    },
    pause() {
      if (controller.signal.aborted) return;
      controller.abort();
      for (const listener of listeners) listener(true);
    },
    resume() {
      if (!controller.signal.aborted) return;
      controller = new AbortController();
      for (const go of waiting.splice(0)) go();
      for (const listener of listeners) listener(false);
    },
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
