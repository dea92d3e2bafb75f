import { describe, expect, test } from "vitest";
import type { ByteProgress } from "../../src/index.ts";
import { announcement, formatDuration, progressView } from "./progress-view.ts";

const half: ByteProgress = { phase: "download", loadedBytes: 50e6, totalBytes: 100e6, file: "a" };
const viewOf = (progress: Partial<ByteProgress> | undefined, kind: "load" | "download" | "copy" = "load") =>
  progressView({ name: "nano", kind, progress: progress && { ...half, ...progress } });

describe("the progress of work on models", () => {
  test("begins without a length", () => {
    const view = viewOf(undefined);
    expect(view).toMatchObject({ title: "Starting: nano", figures: "", loadedBytes: undefined });
    expect(view.pause).toBeUndefined();
  });

  test("of a download has rate, time left and a pause", () => {
    expect(viewOf({ bytesPerSecond: 2.5e6, remainingSeconds: 20 })).toEqual({
      title: "Downloading nano",
      figures: "50.0 MB of 100 MB (50 %) · 2.5 MB/s · 20 s left",
      loadedBytes: 50e6,
      totalBytes: 100e6,
      pause: "pause",
      canTakeOver: false,
    });
    expect(viewOf({}, "copy").title).toBe("Copying into this browser: nano");
  });

  test("of a paused download can be resumed", () => {
    expect(viewOf({ state: "paused" })).toMatchObject({ title: "Paused: nano", pause: "resume" });
  });

  test("says that the server is waited for", () => {
    const view = viewOf({ state: "waiting-for-server" });
    expect(view).toMatchObject({ title: "Waiting: the server is busy (nano)", pause: "pause" });
  });

  test("names the other tab, and offers to take over where a model is loaded", () => {
    const state = "waiting-for-other-tab";
    expect(viewOf({ state })).toMatchObject({ title: "Another tab fetches nano", canTakeOver: true });
    const unknown = viewOf({ state, loadedBytes: 0, totalBytes: 0 });
    expect(unknown).toMatchObject({ title: "Waiting: another tab uses nano", loadedBytes: undefined });
    expect(unknown.totalBytes).toBeGreaterThan(0);
    expect(viewOf({ state }, "download").canTakeOver).toBe(false);
  });

  test("of another tab's download is paused, resumed and taken over from here", () => {
    const waiting = { state: "waiting-for-other-tab", inOtherTab: true } as const;
    expect(viewOf(waiting)).toMatchObject({ pause: "pause", canTakeOver: true });
    const paused = { state: "paused", inOtherTab: true } as const;
    expect(viewOf(paused)).toMatchObject({ title: "Paused: nano", pause: "resume", canTakeOver: true });
    expect(viewOf({ ...waiting, loadedBytes: 100e6 }).pause, "it is being loaded there").toBeUndefined();
  });

  test("onto the GPU ends in preparing, and cannot be paused", () => {
    expect(viewOf({ phase: "load" })).toMatchObject({
      title: "Loading onto the graphics card",
      pause: undefined,
    });
    expect(viewOf({ phase: "load", loadedBytes: 100e6 }).title).toBe("Preparing the graphics card…");
  });
});

test("screen readers hear each new title and each tenth, not every byte", () => {
  const at = (loadedBytes: number) => viewOf({ loadedBytes });
  expect(announcement(undefined, at(1e6))).toBe("Downloading nano");
  expect(announcement(at(1e6), at(9e6))).toBeUndefined();
  expect(announcement(at(9e6), at(10e6))).toBe("Downloading nano: 10 %");
  expect(announcement(at(10e6), viewOf({ loadedBytes: 10e6, state: "paused" }))).toBe("Paused: nano");
});

test.each([
  [0.2, "1 s"],
  [59.4, "60 s"],
  [61, "2 min"],
  [3600, "1 h 0 min"],
  [4800, "1 h 20 min"],
])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));
