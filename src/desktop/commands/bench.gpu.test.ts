import { describe, expect, it } from "vitest";
import type { BenchReport, KernelReport } from "../../bench/report.ts";
import { outcomeOf } from "../../testing/terminal.ts";
import { nanoFolder } from "../embedded-model.ts";
import { benchCommand } from "./bench.ts";

const adapter = process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader";
const common = ["--adapter", adapter, "--json", "--shape", "toy"];
const bench = (...args: string[]) => outcomeOf((terminal) => benchCommand([...common, ...args], terminal));
const nano = nanoFolder();

describe("bench --json", () => {
  it("prints one report with a rate for each thing that was timed", async () => {
    const { code, out, err } = await bench(
      ...["--tokens", "4", "--prompt", "16", "--runs", "1", "--depth", "8", "--profile", "--context", "512"],
      ...["--grammar", "--tokenizer", nano],
    );
    expect([code, out.trimEnd().split("\n").length]).toEqual([0, 1]);
    expect(err).toMatch(/^read bandwidth .*\nloading .*\nloaded .*\n/);
    expect(err).toMatch(
      /decode 4: warm-up\ndecode 4: run 1 of 1\ndecode 4 by a grammar: warm-up\n.*\nprefill 16: warm-up/,
    );
    const report: BenchReport = JSON.parse(out);
    checkRates(report);
    expect(report.info).toMatchObject({ contextLength: 512, kvFormat: "f32", tuning: { source: "table" } });
    expect(report).toMatchObject({ schema: 1, dispatchesPerToken: expect.any(Number) });
    expect(report.kernelsChecked.length).toBeGreaterThan(15);
    expect(report.pipelines).toBeLessThanOrEqual(40);
    const { weightBytes, kvBytes, otherBytes } = report.memory;
    expect(weightBytes + kvBytes + otherBytes).toBe(report.info.gpuBytes);
    expect(report.profiles?.map(({ pass }) => pass)).toEqual(["decode", "prefill"]);
  });

  it("times one kernel alone, in forced sizes", async () => {
    const { code, out } = await bench(
      ...["--kernel", "moe-down-vec", "--variants", "downVec.rows=2", "--context", "512"],
      ...["--activations", "int8"],
    );
    expect(code).toBe(0);
    const report: KernelReport = JSON.parse(out);
    expect(report.info.activations).toBe("int8");
    expect(report.info.tuning).toMatchObject({ source: "forced", sizes: { downVec: { rows: 2 } } });
    expect(report.kernels.map(({ kernel, pass }) => [kernel, pass])).toEqual([["moe-down-vec", "decode"]]);
    expect(report.kernels[0]?.microsecondsPerDispatch).toBeGreaterThan(0);
    expect(report.kernels[0]?.bytesPerSecond).toBeGreaterThan(0);
  });

  it("names the plan's kernels where it does not have the one asked for", async () => {
    const { code, err } = await bench("--kernel", "nothing", "--context", "512");
    expect([code, err]).toEqual([2, expect.stringMatching(/no kernel nothing.*moe-down-vec/)]);
  });
});

function checkRates({
  ceiling,
  decode,
  decodeAtDepth,
  decodeByGrammar,
  prefill,
  timeToFirstTokenMs,
  cpu,
}: BenchReport): void {
  const rate = (tokens: number) => ({
    tokens,
    tokensPerSecond: expect.any(Number),
    all: [expect.any(Number)],
  });
  expect(decode).toMatchObject({ ...rate(4), depth: 0 });
  expect(decodeAtDepth).toMatchObject({ ...rate(4), depth: 8 });
  expect(decodeByGrammar).toMatchObject({ ...rate(4), maskMs: expect.any(Number) });
  expect(decodeByGrammar?.shareOfFree).toBeCloseTo(
    (decodeByGrammar?.tokensPerSecond ?? 0) / decode.tokensPerSecond,
    10,
  );
  expect(prefill).toMatchObject([rate(16)]);
  for (const value of [
    ceiling.bytesPerSecond,
    decode.tokensPerSecond,
    prefill[0]?.tokensPerSecond,
    timeToFirstTokenMs,
    cpu.encodeMs,
    decode.gpuMs,
    decodeAtDepth?.gpuMs,
  ])
    expect(value).toBeGreaterThan(0);
  expect(decode.shareOfCeiling).toBeCloseTo(
    (decode.bytesPerToken * decode.tokensPerSecond) / ceiling.bytesPerSecond,
    10,
  );
}
