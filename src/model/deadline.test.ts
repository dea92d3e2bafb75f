import { describe, expect, it, vi } from "vitest";
import { createDeadline } from "./deadline.ts";

const never = () => new Promise<never>(() => {});
const until = (milliseconds: number, signal?: AbortSignal) =>
  createDeadline({ milliseconds, clock: () => performance.now(), signal });

describe("a deadline", () => {
  it("gives what is there in time, with its errors", async () => {
    const deadline = until(60_000);
    expect(await deadline.within(Promise.resolve(3))).toBe(3);
    await expect(deadline.within(Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(deadline.left()).toBeGreaterThan(50_000);
  });

  it("gives up on what never comes, and on all that comes later", async () => {
    const deadline = until(20);
    expect(await deadline.within(never())).toBeUndefined();
    await vi.waitFor(() => expect(deadline.left()).toBe(0));
    expect(await deadline.within(Promise.resolve(3))).toBeUndefined();
    expect(await deadline.within(Promise.reject(new Error("too late to be heard")))).toBeUndefined();
  });

  it("ends at once where its signal fires, or has fired", async () => {
    const stop = new AbortController();
    const deadline = until(60_000, stop.signal);
    const waiting = deadline.within(never());
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await expect(deadline.within(Promise.resolve(3))).rejects.toMatchObject({ code: "aborted" });
  });
});
