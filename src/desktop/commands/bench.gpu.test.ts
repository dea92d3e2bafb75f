import { expect, it } from "vitest";
import type { BenchReport } from "../../bench/run-bench.ts";
import { outcomeOf } from "../../testing/terminal.ts";
import { benchCommand } from "./bench.ts";

const adapter = process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader";
const args = ["--adapter", adapter, "--json", "--tokens", "4", "--prompt", "16", "--runs", "1"];

it("bench --json prints one report with a rate for each thing that was timed", async () => {
  const { code, out, err } = await outcomeOf((terminal) => benchCommand(args, terminal));
  expect([code, out.trimEnd().split("\n").length]).toEqual([0, 1]);
  expect(err).toMatch(/^loaded .*\ndecode 4: warm-up\ndecode 4: run 1 of 1\nprefill 16: warm-up/);
  const report: BenchReport = JSON.parse(out);
  const rate = (tokens: number) => ({
    tokens,
    tokensPerSecond: expect.any(Number),
    all: [expect.any(Number)],
  });
  expect(report).toMatchObject({ decode: rate(4), prefill: [rate(16)] });
  for (const value of [
    report.decode.tokensPerSecond,
    report.prefill[0]?.tokensPerSecond,
    report.timeToFirstTokenMs,
  ])
    expect(value).toBeGreaterThan(0);
  expect(report.info).toMatchObject({ contextLength: 8192, kvFormat: "f32", model: { numLayers: 8 } });
});
