import { afterEach, describe, expect, it, vi } from "vitest";
import { EngineError } from "../errors.ts";
import { aborted } from "../testing/fake-engine.ts";
import { createFakeLocks } from "../testing/fake-locks.ts";
import { alone } from "./alone.ts";
import { createModelLocks } from "./model-locks.ts";
import { createSharedProgress, type TabChannel } from "./shared-progress.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Tabs of one browser: each hears what the others post. */
function createTabs() {
  const { locks } = createFakeLocks();
  const listeners = new Map<TabChannel, Set<(event: MessageEvent) => void>>();
  return () => {
    const own = new Set<(event: MessageEvent) => void>();
    const channel: TabChannel = {
      postMessage: (data) => {
        for (const [other, heard] of listeners)
          if (other !== channel)
            for (const listener of heard) listener(new MessageEvent("message", { data }));
      },
      addEventListener: (_, listener) => own.add(listener),
      removeEventListener: (_, listener) => own.delete(listener),
    };
    listeners.set(channel, own);
    return { locks: createModelLocks(locks), shared: createSharedProgress(channel) };
  };
}

const forever = () => new Promise<never>(() => {});

describe("work on a stored model that another tab takes over", () => {
  it("is asked to end, and has ended when the other one begins", async () => {
    const tab = createTabs();
    const events: string[] = [];
    const first = alone(tab(), "m", { policy: "refuse" }, async (signal) => {
      await aborted(signal);
      await new Promise((resolve) => setTimeout(resolve, 20)); // what was being written
      events.push("first ended");
      throw new EngineError("aborted", "The work was aborted.");
    });
    const second = alone(tab(), "m", { policy: "take-over" }, async () => void events.push("second began"));
    await expect(first).rejects.toMatchObject({
      code: "busy",
      details: { reason: "model-taken-over", id: "m" },
    });
    await second;
    expect(events).toEqual(["first ended", "second began"]);
  });

  it("is robbed of it where it does not end within 3 s", async () => {
    vi.useFakeTimers();
    const tab = createTabs();
    void alone(tab(), "m", { policy: "wait" }, forever);
    let hasBegun = false;
    const second = alone(tab(), "m", { policy: "take-over" }, async () => {
      hasBegun = true;
    });
    await vi.advanceTimersByTimeAsync(2900);
    expect(hasBegun).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await second;
    expect(hasBegun).toBe(true);
  });

  it("goes to the one that takes it over before those that wait for longer", async () => {
    const tab = createTabs();
    const work = async (signal: AbortSignal) => {
      await aborted(signal);
      throw new EngineError("aborted", "The work was aborted.");
    };
    const first = alone(tab(), "m", { policy: "wait" }, work);
    const second = alone(tab(), "m", { policy: "wait" }, work);
    const ended = Promise.allSettled([first, second]);
    await new Promise((resolve) => setTimeout(resolve));
    await alone(tab(), "m", { policy: "take-over" }, async () => {});
    for (const result of await ended)
      expect(result).toMatchObject({ reason: { details: { reason: "model-taken-over" } } });
  });

  it("says `aborted` where its own user ended it", async () => {
    const tab = createTabs();
    const abort = new AbortController();
    const { signal } = abort;
    const first = alone(tab(), "m", { policy: "wait", signal }, async (signal) => {
      await aborted(signal);
      throw new EngineError("aborted", "The work was aborted.");
    });
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted" });
    const taking = alone(tab(), "m", { policy: "take-over", signal }, async () => {});
    await expect(taking).rejects.toMatchObject({ code: "aborted" });
  });
});
