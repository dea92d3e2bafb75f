import { isEngineError } from "../errors.ts";
import { type Free, type ModelLocks, type OtherTabPolicy, takenOver } from "./model-locks.ts";
import type { SharedProgress } from "./shared-progress.ts";

export interface AloneServices {
  readonly locks: ModelLocks;
  readonly shared: SharedProgress;
}

export interface AloneOptions {
  readonly policy: Exclude<OtherTabPolicy, "share">;
  /** Called once where another tab works on the model and this one waits. */
  readonly onWaiting?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs work that changes a stored model while no other tab does so. Where another tab takes the model over, the
 * work's signal fires, and that tab begins once the work has ended.
 * @throws busy with reason `model-in-other-tab` where the policy is to refuse, `model-taken-over` | aborted | what `work` throws
 */
export async function alone<T>(
  services: AloneServices,
  id: string,
  options: AloneOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  const lost = new AbortController();
  const onLost = () => lost.abort();
  const free = await hold(services, id, { ...options, onLost });
  const stopYielding = services.shared.onYield(id, onLost);
  try {
    return await work(signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]));
  } catch (error) {
    const isTaken = lost.signal.aborted && !signal?.aborted && isEngineError(error, "aborted");
    throw isTaken ? takenOver(id) : error;
  } finally {
    stopYielding();
    await free();
  }
}

/** How long a tab may take to stop what it does, in ms, before the model is taken from it as it is. */
const yieldMs = 3000;
/** Others may be in line for the lock, and one that gets it has not heard the first question. */
const askAgainMs = 200;

/** A takeover asks first: a tab that is robbed may still write while the next one reads. */
async function hold(
  { locks, shared }: AloneServices,
  id: string,
  options: AloneOptions & { readonly onLost: () => void },
): Promise<Free> {
  if (options.policy !== "take-over") return locks.hold("download", id, options);
  const { signal } = options;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), yieldMs);
  let asking: ReturnType<typeof setInterval> | undefined;
  const ask = () => shared.askToYield(id);
  try {
    return await locks.hold("download", id, {
      ...options,
      policy: "wait",
      signal: AbortSignal.any(signal === undefined ? [patience.signal] : [signal, patience.signal]),
      onWaiting: () => {
        options.onWaiting?.();
        ask();
        asking = setInterval(ask, askAgainMs);
      },
    });
  } catch (error) {
    if (!patience.signal.aborted || signal?.aborted) throw error;
    return locks.hold("download", id, options);
  } finally {
    clearTimeout(timer);
    clearInterval(asking);
  }
}
