import { describe, expect, it } from "vitest";
import { createPause } from "../weights/pause.ts";
import type { ByteProgress } from "../weights/types.ts";
import { createSharedProgress, type TabChannel } from "./shared-progress.ts";

/** A channel into which the test speaks as another tab. */
function createChannel() {
  const listeners = new Set<(event: MessageEvent) => void>();
  const posted: unknown[] = [];
  const channel: TabChannel = {
    postMessage: (message) => void posted.push(message),
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
  };
  const say = (data: unknown) => {
    for (const listener of listeners) listener(new MessageEvent("message", { data }));
  };
  return { channel, posted, say, numListeners: () => listeners.size };
}

const progress: ByteProgress = { phase: "download", loadedBytes: 1, totalBytes: 2, file: "a" };

describe("messages between tabs", () => {
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "pause"],
    ["a type that a later version has", { type: "hold", id: "m" }],
    ["no model", { type: "progress", progress }],
    ["progress without figures", { type: "progress", id: "m" }],
    ["progress of no number", { type: "progress", id: "m", progress: { ...progress, loadedBytes: "1" } }],
    ["a pause that says nothing", { type: "paused", id: "m" }],
    ["another model's", { type: "progress", id: "m2", progress }],
  ])("with %s are passed over", (_, data) => {
    const { channel, say } = createChannel();
    const shared = createSharedProgress(channel);
    const seen: unknown[] = [];
    const pause = createPause();
    shared.follow("m", pause, (report) => seen.push(report));
    shared.lead("m", pause);
    shared.onYield("m", () => seen.push("yield"));
    say(data);
    expect(seen).toEqual([]);
    expect(pause.isPaused).toBe(false);
    say({ type: "progress", id: "m", progress });
    say({ type: "paused", id: "m", isPaused: true });
    expect(seen).toEqual([progress]);
    expect(pause.isPaused).toBe(true);
  });

  it("tell a leader of a pause that was asked for before it was heard of", () => {
    const { channel, posted } = createChannel();
    const pause = createPause();
    pause.pause();
    createSharedProgress(channel).follow("m", pause, () => {});
    expect(posted[0]).toEqual({ type: "pause", id: "m", isPaused: true });
  });

  it("are heard until the end", () => {
    const { channel, numListeners } = createChannel();
    const shared = createSharedProgress(channel);
    shared.lead("m", createPause()).stop();
    shared.follow("m", createPause(), () => {})();
    shared.onYield("m", () => {})();
    expect(numListeners()).toBe(0);
  });
});
