/**
 * Dawn in Node polls for what the GPU has finished in callbacks of `setImmediate`, one after the other without a pause, each a
 * function made for it: about 100,000 a second. Collecting them stops the thread for 54 ms in about every second run of 128
 * tokens, which is longer than the decode steps under way last (measured on an H200: 463 instead of 511 tokens/s, deep in
 * a context 380 instead of 456). Here such a callback waits until this long after the one before, in ms: far less than a step takes.
 */
const leastGapMs = 0.2;
/** The same where the CPU is the GPU: then the wait is a sleep, which leaves it a core. */
const sleepMs = 1;

type SetImmediate = (callback: (...args: unknown[]) => void, ...args: unknown[]) => unknown;

/** What has timers: the global object, or a stand-in of a test. */
export interface TimerScope {
  setImmediate: SetImmediate;
  readonly setTimeout: (callback: () => void, milliseconds: number) => unknown;
}

export interface TickPacer {
  /** A Dawn instance was opened. Where all of them are software, whose GPU is the CPU, the thread sleeps between polls. */
  opened(isSoftware: boolean): void;
}

interface Installed {
  readonly pacer: TickPacer;
  readonly setImmediate: SetImmediate;
}

const installed = new WeakMap<TimerScope, Installed>();
/** Taken at once: a test may put another clock in its place, one that stands still. */
const realNow = performance.now.bind(performance);

/**
 * Lets Dawn's polls of the GPU be at least 0.2 ms apart, all instances together. Everything else that calls the scope's
 * `setImmediate` gets the one that was there. A scope is paced once, however often it is asked for.
 */
export function paceTicks(
  scope: TimerScope = globalThis as unknown as TimerScope,
  now: () => number = realNow,
): TickPacer {
  const known = installed.get(scope);
  if (known !== undefined && known.setImmediate === scope.setImmediate) return known.pacer;
  const original = scope.setImmediate;
  const { setTimeout } = scope;
  let sleeps = false;
  let hasHardware = false;
  /** One for each Dawn instance that waits for something. */
  let waiting: (() => void)[] = [];
  let last = Number.NEGATIVE_INFINITY;

  function schedule(): void {
    if (sleeps) setTimeout(poll, sleepMs);
    else original(turn);
  }
  function turn(): void {
    const sinceMs = now() - last;
    if (sinceMs >= 0 && sinceMs < leastGapMs) original(turn);
    else poll();
  }
  function poll(): void {
    last = now();
    const [first, ...others] = waiting;
    waiting = [];
    for (const tick of others) original(tick); // each by itself, so that one that throws takes no other with it
    first?.();
  }

  const setImmediate: SetImmediate = (callback, ...args) => {
    if (!isTick(callback, args)) return original(callback, ...args);
    waiting.push(callback);
    if (waiting.length === 1) schedule();
    return undefined;
  };
  // Its name, and what util.promisify looks for.
  Object.defineProperties(setImmediate, Object.getOwnPropertyDescriptors(original));
  scope.setImmediate = setImmediate;
  const pacer: TickPacer = {
    opened(isSoftware) {
      hasHardware ||= !isSoftware;
      sleeps = !hasHardware;
    },
  };
  installed.set(scope, { pacer, setImmediate });
  return pacer;
}

/** Whether a callback is a function of a native module without a name. Bound functions have no prototype. */
const isTick = (callback: unknown, args: readonly unknown[]): boolean =>
  typeof callback === "function" &&
  args.length === 0 &&
  callback.name === "" &&
  "prototype" in callback &&
  Function.prototype.toString.call(callback) === "function () { [native code] }";
