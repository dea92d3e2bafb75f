import { EngineError } from "../errors.ts";
import type { CallId } from "./protocol.ts";

/** The request that runs, if any, and its AbortSignal. */
export interface Requests {
  /** Runs `work` alone. @throws busy while another one runs */
  run<T>(call: CallId, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Fires the signal of this request; others are left alone. */
  abort(call: CallId): void;
  /** Fires the signal of whatever runs and waits for its end. */
  stop(): Promise<void>;
  /** Ends whatever runs with this error: aborts it, and gives up on it if it does not end soon. */
  fail(error: EngineError): void;
  /** @throws busy while a request runs */
  refuseWhileRunning(what: string): void;
}

interface Running {
  readonly call: CallId;
  readonly what: string;
  readonly controller: AbortController;
  readonly ended: Promise<unknown>;
  readonly fail: (error: EngineError) => void;
}

/** How long a request that a fault hit may take to end by itself, in ms. */
const faultGraceMs = 1000;

/** A gate that lets one request through at a time. */
export function createRequests(): Requests {
  let running: Running | undefined;

  function refuseWhileRunning(what: string): void {
    if (running === undefined) return;
    throw new EngineError(
      "busy",
      `Cannot ${what}: the engine still serves a request (${running.what}). Wait for its end or abort it.`,
      { details: { running: running.what, refused: what } },
    );
  }

  return {
    refuseWhileRunning,
    run: async (call, what, work) => {
      refuseWhileRunning(what);
      const controller = new AbortController();
      const result = work(controller.signal);
      let fault: EngineError | undefined;
      const failed = new Promise<never>((_, reject) => {
        const fail = (error: EngineError) => {
          fault ??= error;
          controller.abort();
          setTimeout(() => reject(fault), faultGraceMs);
        };
        running = { call, what, controller, ended: result.catch(() => {}), fail };
      });
      failed.catch(() => {}); // it may come after the end
      try {
        const value = await Promise.race([result, failed]);
        if (fault !== undefined) throw fault;
        return value;
      } catch (error) {
        throw fault ?? error;
      } finally {
        running = undefined;
      }
    },
    fail: (error) => running?.fail(error),
    abort: (call) => {
      if (running?.call === call) running.controller.abort();
    },
    stop: async () => {
      while (running !== undefined) {
        running.controller.abort();
        await running.ended;
        await Promise.resolve(); // the `finally` above
      }
    },
  };
}
