import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseRetryAfter, TransientError, withRetries } from "./retry.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Seconds from the start at which tries are made that all fail so, and what becomes of them. */
async function tries(retryAfterMs: number | undefined, { retries = 5, isTold = true } = {}) {
  const startMs = Date.now();
  const atSeconds: number[] = [];
  const waits: number[] = [];
  const attempt = async () => {
    atSeconds.push((Date.now() - startMs) / 1000);
    throw new TransientError("It failed.", { details: {}, retryAfterMs });
  };
  const policy = { retries, retryDelayMs: 500 };
  const onWait = isTold ? (waitMs: number) => void waits.push(waitMs) : undefined;
  const run = withRetries(policy, attempt, { onWait });
  const ended = run.catch((error: Error) => error.message);
  await vi.advanceTimersByTimeAsync(3_600_000);
  return { gaps: atSeconds.slice(1).map((at, i) => at - (atSeconds[i] ?? 0)), waits, ended: await ended };
}

describe("withRetries", () => {
  it("waits longer each time, and gives up", async () => {
    const { gaps, waits, ended } = await tries(undefined);
    expect(gaps).toHaveLength(5);
    for (const [i, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(0.5 * 2 ** i);
      expect(gap).toBeLessThanOrEqual(2 * 0.5 * 2 ** i + 0.01);
    }
    expect(waits.every((waitMs) => waitMs >= 5000)).toBe(true);
    expect(ended).toBe("It failed. Gave up after 6 tries.");
  });
  it("waits as long as the server asks, also the 5 minutes of the hub's limits, and tells so", async () => {
    const { gaps, waits, ended } = await tries(300_000);
    expect(gaps).toHaveLength(5);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(300);
    expect(waits).toHaveLength(5);
    expect(ended).toMatch(/6 tries\. The server asks to wait 5 min: try again then\.$/);
  });
  it("gives up at once where the server asks for longer than anyone would wait", async () => {
    const { gaps, ended } = await tries(3_000_000);
    expect(gaps).toEqual([]);
    expect(ended).toBe("It failed. The server asks to wait 50 min: try again then.");
  });
  it("lets nobody wait for minutes who is not told", async () => {
    const { gaps, ended } = await tries(300_000, { isTold: false });
    expect(gaps).toEqual([]);
    expect(ended).toMatch(/asks to wait 5 min/);
    expect((await tries(60_000, { isTold: false })).gaps).toHaveLength(5);
  });
  it("does not let all connections try again at the same moment", async () => {
    const gaps = await Promise.all([1, 2, 3, 4].map(() => tries(60_000, { retries: 1 })));
    expect(new Set(gaps.map((each) => each.gaps[0])).size).toBeGreaterThan(1);
  });
});

it.each([
  ["7", 7000],
  [" 0 ", 0],
  ["Thu, 01 Jan 2026 00:00:09 GMT", 9000],
  ["Thursday, 01-Jan-26 00:00:09 GMT", 9000],
  ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
  ["-5", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["", undefined],
  [null, undefined],
])("Retry-After %j is %s ms", (header, expected) => {
  expect(parseRetryAfter(header, Date.parse("2026-01-01T00:00:00Z"))).toBe(expected);
});
