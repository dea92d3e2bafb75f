import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { paceTicks, type TimerScope } from "./paced-ticks.ts";

/** A nameless function as native modules make them: with a prototype, and printed as native code. */
const nativeTick = (work: () => void): (() => void) =>
  new Proxy<() => void>(class {} as never, { apply: work });

/** A scope whose callbacks run when the test says so, on a clock that it sets. */
function scene() {
  let queue: (() => void)[] = [];
  let time = 0;
  let sleeping: { callback: () => void; until: number }[] = [];
  const handle = {};
  const scope: TimerScope = {
    setImmediate: (callback, ...args) => {
      queue.push(() => callback(...args));
      return handle;
    },
    setTimeout: (callback, milliseconds) => sleeping.push({ callback, until: time + milliseconds }),
  };
  const pacer = paceTicks(scope, () => time);
  return {
    scope,
    pacer,
    handle,
    waiting: () => queue.length,
    /** Runs what was asked for, and lets time pass. */
    turn(milliseconds: number) {
      const callbacks = queue;
      queue = [];
      for (const callback of callbacks) callback();
      time += milliseconds;
      const awake = sleeping.filter(({ until }) => until <= time);
      sleeping = sleeping.filter(({ until }) => until > time);
      for (const { callback } of awake) callback();
    },
  };
}

describe("callbacks of Dawn", () => {
  it("come at least 0.2 ms apart, however fast the event loop turns", () => {
    const { scope, turn } = scene();
    let looks = 0;
    const look = () => {
      looks += 1;
      scope.setImmediate(nativeTick(look));
    };
    scope.setImmediate(nativeTick(look));
    for (let i = 0; i < 1000; i++) turn(0.01); // 10 ms
    expect(looks).toBeGreaterThanOrEqual(45);
    expect(looks).toBeLessThanOrEqual(51);
  });

  it("come at once where none came lately", () => {
    const { scope, turn } = scene();
    let looks = 0;
    for (let i = 0; i < 3; i++) {
      scope.setImmediate(nativeTick(() => looks++));
      turn(5);
      expect(looks).toBe(i + 1);
    }
  });

  it("of several instances are all kept, and what asks again from within waits for its turn", () => {
    const { scope, turn } = scene();
    const looks = [0, 0, 0];
    const count = (i: number) => {
      looks[i] = (looks[i] ?? 0) + 1;
    };
    for (const i of looks.keys()) scope.setImmediate(nativeTick(() => count(i)));
    scope.setImmediate(nativeTick(() => scope.setImmediate(nativeTick(() => count(0)))));
    turn(0);
    turn(0.1);
    expect(looks).toEqual([1, 1, 1]);
    turn(0.05);
    expect(looks).toEqual([1, 1, 1]);
    turn(0.1);
    turn(0.1);
    expect(looks).toEqual([2, 1, 1]);
  });

  it("take no other with them where they throw", () => {
    const { scope, turn } = scene();
    let polls = 0;
    const failing = () => {
      throw new Error("a listener failed");
    };
    scope.setImmediate(nativeTick(failing));
    scope.setImmediate(nativeTick(() => polls++));
    expect(() => turn(0)).toThrow("a listener failed");
    turn(0);
    expect(polls).toBe(1);
  });

  it("come where the clock was set back", () => {
    const { scope, turn } = scene();
    let polls = 0;
    const poll = () => {
      polls += 1;
      if (polls === 1) scope.setImmediate(nativeTick(poll));
    };
    scope.setImmediate(nativeTick(poll));
    turn(-100);
    turn(0);
    expect(polls).toBe(2);
  });

  it("sleep in between where the CPU is the GPU", () => {
    const { scope, pacer, turn, waiting } = scene();
    pacer.opened(true);
    let looks = 0;
    const look = () => {
      looks += 1;
      scope.setImmediate(nativeTick(look));
    };
    scope.setImmediate(nativeTick(look));
    for (let i = 0; i < 100; i++) {
      turn(0.125);
      expect(waiting()).toBe(0);
    }
    expect(looks).toBe(12); // 12.5 ms
  });

  it("do not sleep where hardware was opened as well", () => {
    const { scope, pacer, turn } = scene();
    pacer.opened(true);
    pacer.opened(false);
    pacer.opened(true);
    let polls = 0;
    scope.setImmediate(nativeTick(() => polls++));
    turn(0);
    expect(polls).toBe(1);
  });

  it("end with the last: nothing runs on behind it", () => {
    const { scope, turn, waiting } = scene();
    scope.setImmediate(nativeTick(() => {}));
    turn(1);
    expect(waiting()).toBe(0);
  });
});

describe("every other callback", () => {
  it.each([
    [
      "an arrow function",
      () =>
        (seen: unknown[]) =>
        (...args: unknown[]) =>
          seen.push(...args),
    ],
    ["a bound function", () => (seen: unknown[]) => Array.prototype.push.bind(seen)],
  ] as const)("is handed on as it is: %s", (_, make) => {
    const { scope, handle, turn } = scene();
    const seen: unknown[] = [];
    expect(scope.setImmediate(make()(seen) as never, 1, 2)).toBe(handle);
    expect(scope.setImmediate(make()(seen) as never)).toBe(handle);
    turn(0);
    expect(seen).toEqual([1, 2]);
  });

  it("works with util.promisify, clearImmediate and a second call", async () => {
    const scope = { setImmediate, setTimeout } as unknown as TimerScope;
    paceTicks(scope);
    const once = scope.setImmediate;
    paceTicks(scope);
    expect(scope.setImmediate).toBe(once);
    scope.setImmediate = setImmediate as never; // as faked timers do when they go
    paceTicks(scope);
    expect(scope.setImmediate).not.toBe(setImmediate);
    expect(await promisify(scope.setImmediate as typeof setImmediate)("value")).toBe("value");
    let ran = false;
    clearImmediate(scope.setImmediate(() => (ran = true)) as NodeJS.Immediate);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ran).toBe(false);
  });
});
