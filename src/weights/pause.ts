import { EngineError, throwIfAborted } from "../errors.ts";
import type { PauseSwitch } from "./types.ts";

/** A PauseSwitch with its handles. */
export interface Pause extends PauseSwitch {
  pause(): void;
  resume(): void;
}

/** A pause that is off. */
export function createPause(): Pause {
  let controller = new AbortController();
  let waiting: (() => void)[] = [];
  return {
    get isPaused() {
      return controller.signal.aborted;
    },
    get signal() {
      return controller.signal;
    },
    pause: () => controller.abort(),
    resume() {
      if (!controller.signal.aborted) return;
      controller = new AbortController();
      for (const go of waiting.splice(0)) go();
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
