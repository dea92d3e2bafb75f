import { describe, expect, it, vi } from "vitest";
import { createFakeLocks } from "../testing/fake-locks.ts";
import { createModelLocks } from "./model-locks.ts";

describe("createModelLocks", () => {
  it("holds a model for one tab at a time; the next waits its turn", async () => {
    const tabs = createFakeLocks();
    const [first, second] = [createModelLocks(tabs.locks), createModelLocks(tabs.locks)];
    const free = await first.hold("engine", "m", { policy: "wait" });
    const onWaiting = vi.fn();
    const waiting = second.hold("engine", "m", { policy: "wait", onWaiting });
    await expect.poll(() => onWaiting.mock.calls.length).toBe(1);
    await free();
    await (await waiting)();
    await (await first.hold("engine", "m", { policy: "refuse" }))();
  });
  it("keeps models apart, and downloading from running", async () => {
    const { locks } = createFakeLocks();
    const tab = createModelLocks(locks);
    for (const [what, id] of [
      ["engine", "m"],
      ["engine", "m2"],
      ["download", "m"],
    ] as const)
      await tab.hold(what, id, { policy: "refuse" });
    await expect(tab.hold("engine", "m", { policy: "refuse" })).rejects.toMatchObject({
      code: "busy",
      details: { reason: "model-in-other-tab", id: "m" },
    });
    await tab.hold("engine", "m", { policy: "share" });
  });
  it("takes a model over, and tells the tab that had it", async () => {
    const { locks } = createFakeLocks();
    const tab = createModelLocks(locks);
    const onLost = vi.fn();
    await tab.hold("engine", "m", { policy: "wait", onLost });
    const free = await tab.hold("engine", "m", { policy: "take-over" });
    await expect.poll(() => onLost.mock.calls.length).toBe(1);
    await expect(tab.hold("engine", "m", { policy: "refuse" })).rejects.toMatchObject({ code: "busy" });
    await free();
  });
  it("is told nothing when it frees a lock itself", async () => {
    const { locks } = createFakeLocks();
    const onLost = vi.fn();
    await (await createModelLocks(locks).hold("engine", "m", { policy: "wait", onLost }))();
    await new Promise((resolve) => setTimeout(resolve));
    expect(onLost).not.toHaveBeenCalled();
  });
  it("stops waiting at an abort, and takes nothing afterwards", async () => {
    const { locks } = createFakeLocks();
    const tab = createModelLocks(locks);
    const free = await tab.hold("engine", "m", { policy: "wait" });
    const abort = new AbortController();
    const waiting = tab.hold("engine", "m", {
      policy: "wait",
      signal: abort.signal,
      onWaiting: () => abort.abort(),
    });
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await free();
    await (await tab.hold("engine", "m", { policy: "refuse" }))();
    await expect(tab.hold("engine", "m", { policy: "wait", signal: abort.signal })).rejects.toMatchObject({
      code: "aborted",
    });
  });
  it("finds every lock free where there are none", async () => {
    const tab = createModelLocks(undefined);
    await tab.hold("engine", "m", { policy: "refuse" });
    await tab.hold("engine", "m", { policy: "refuse" });
  });
});
