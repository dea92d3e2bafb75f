/**
 * Dawn in Node looks for what the GPU has finished in callbacks of `setImmediate`, one after the other without a pause, each a
 * function made for it: about 100,000 a second. Collecting them stops the thread for up to 55 ms, four times a second,
 * which is longer than the decode steps under way last (measured on an H200: decoding lost 10 to 25 %). Here such a callback
 * waits until this long after the one before, in ms: far less than a step takes.
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
  /** Whether to sleep between Dawn's looks, for a GPU that is the CPU. Default false. */
  sleeps: boolean;
}

const pacers = new WeakMap<TimerScope, TickPacer>();

/**
 * Lets Dawn's looks at the GPU be at least 0.2 ms apart, all instances together. Everything else that calls the scope's
 * `setImmediate` gets the one that was there. A scope has one pacer, however often it is asked for.
 */
export function paceTicks(
  scope: TimerScope = globalThis as unknown as TimerScope,
  now: () => number = () => performance.now(),
): TickPacer {
  const known = pacers.get(scope);
  if (known !== undefined) return known;
  const original = scope.setImmediate;
  const { setTimeout } = scope;
  const pacer: TickPacer = { sleeps: false };
  /** One for each Dawn instance that waits for something. */
  let waiting: (() => void)[] = [];
  let last = Number.NEGATIVE_INFINITY;

  function schedule(): void {
    if (pacer.sleeps) setTimeout(look, sleepMs);
    else original(turn);
  }
  function turn(): void {
    if (now() - last < leastGapMs) original(turn);
    else look();
  }
  function look(): void {
    last = now();
    const ticks = waiting;
    waiting = [];
    for (const tick of ticks) tick();
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
  pacers.set(scope, pacer);
  return pacer;
}

/** Whether a callback is a function of a native module without a name. Bound functions have no prototype. */
const isTick = (callback: unknown, args: readonly unknown[]): boolean =>
  typeof callback === "function" &&
  args.length === 0 &&
  callback.name === "" &&
  "prototype" in callback &&
  Function.prototype.toString.call(callback) === "function () { [native code] }";
