import { describe, expect, it } from "vitest";
import { createDownloadProgress } from "./progress.ts";
import type { ByteProgress } from "./types.ts";

function start(loadedBytes = 0) {
  let nowMs = 0;
  const reports: ByteProgress[] = [];
  const progress = createDownloadProgress(
    { loadedBytes, totalBytes: 100e6, now: () => nowMs },
    (report) => void reports.push(report),
  );
  /** A second in which so many bytes arrive. */
  const second = (numBytes: number) => {
    nowMs += 1000;
    progress.add(numBytes, "a");
    progress.report("a");
    return reports.at(-1);
  };
  return { progress, reports, second };
}

describe("createDownloadProgress", () => {
  it("tells rate and remaining time from the bytes that arrived, not from those that were there", () => {
    const { second } = start(40e6);
    second(10e6);
    expect(second(10e6)).toMatchObject({ loadedBytes: 60e6, bytesPerSecond: 10e6, remainingSeconds: 4 });
  });
  it("follows a change of the rate within seconds", () => {
    const { second } = start();
    for (let i = 0; i < 5; i += 1) second(10e6);
    for (let i = 0; i < 10; i += 1) second(1e6);
    expect(second(1e6)?.bytesPerSecond).toBeLessThan(2e6);
  });
  it("knows no rate at the start, without headway, and after a pause", () => {
    const { progress, reports, second } = start();
    progress.report("a");
    expect(reports.at(-1)).not.toHaveProperty("bytesPerSecond");
    expect(second(0)).not.toHaveProperty("bytesPerSecond");
    second(10e6);
    progress.report("a", "paused");
    expect(reports.at(-1)).toMatchObject({ state: "paused", loadedBytes: 10e6 });
    expect(reports.at(-1)).not.toHaveProperty("remainingSeconds");
    second(0);
    expect(second(5e6), "the pause does not count").toMatchObject({ bytesPerSecond: 5e6 });
  });
  it("never falls back and never passes the total, and ends at it", () => {
    const { progress, reports, second } = start(90e6);
    second(8e6);
    second(-50e6);
    second(100e6);
    progress.complete("a");
    const loaded = reports.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(loaded.at(-1)).toBe(100e6);
  });
});
