import { describe, expect, it } from "vitest";
import type { BenchReport } from "../../bench/report.ts";
import { outcomeOf } from "../../testing/terminal.ts";
import { benchCommand } from "./bench.ts";

const adapter = process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader";
const bench = (...args: string[]) =>
  outcomeOf((terminal) => benchCommand(["--adapter", adapter, "--json", ...args], terminal));

describe("bench --json", () => {
  it("prints one report with a rate for each thing that was timed", async () => {
    const { code, out, err } = await bench(
      ...["--tokens", "4", "--prompt", "16", "--runs", "1", "--depth", "8", "--profile"],
    );
    expect([code, out.trimEnd().split("\n").length]).toEqual([0, 1]);
    expect(err).toMatch(/^read bandwidth .*\nloading .*\nloaded .*\n/);
    expect(err).toMatch(/decode 4: warm-up\ndecode 4: run 1 of 1\nprefill 16: warm-up/);
    const report: BenchReport = JSON.parse(out);
    checkRates(report);
    expect(report.info).toMatchObject({ contextLength: 8192, kvFormat: "f32", model: { numLayers: 8 } });
    expect(report).toMatchObject({ schema: 1, dispatchesPerToken: 1 + 8 * 7 + 2 });
    expect(report.pipelines).toBeLessThanOrEqual(40);
    const { weightBytes, kvBytes, otherBytes } = report.memory;
    expect(weightBytes + kvBytes + otherBytes).toBe(report.info.gpuBytes);
    expect(report.profiles?.map(({ pass }) => pass)).toEqual(["decode", "prefill"]);
  });
});

function checkRates({ ceiling, decode, decodeAtDepth, prefill, timeToFirstTokenMs, cpu }: BenchReport): void {
  const rate = (tokens: number) => ({
    tokens,
    tokensPerSecond: expect.any(Number),
    all: [expect.any(Number)],
  });
  expect(decode).toMatchObject({ ...rate(4), depth: 0 });
  expect(decodeAtDepth).toMatchObject({ ...rate(4), depth: 8 });
  expect(prefill).toMatchObject([rate(16)]);
  for (const value of [
    ceiling.bytesPerSecond,
    decode.tokensPerSecond,
    prefill[0]?.tokensPerSecond,
    timeToFirstTokenMs,
    cpu.encodeMs,
  ])
    expect(value).toBeGreaterThan(0);
  expect(decode.shareOfCeiling).toBeCloseTo(
    (decode.bytesPerToken * decode.tokensPerSecond) / ceiling.bytesPerSecond,
    10,
  );
}
