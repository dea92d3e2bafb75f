import { expect, it } from "vitest";
import { fakeInfo } from "../testing/fake-engine.ts";
import { type BenchReport, type KernelReport, reportSchema } from "./report.ts";
import { benchTable, kernelTable } from "./report-table.ts";

const decode = {
  ...{ tokens: 128, tokensPerSecond: 345.67, all: [345.67], depth: 0 },
  ...{ bytesPerToken: 3.71e9, bytesPerSecond: 1.2824e12, shareOfCeiling: 0.3128 },
  gpuMs: 1.91,
};

const report: BenchReport = {
  schema: reportSchema,
  info: { ...fakeInfo, mxfp4: "half" },
  ceiling: { bytesPerSecond: 4.1e12, operationsPerSecond: 55e12, bufferBytes: 2 ** 30, method: "timestamps" },
  memory: { weightBytes: 13.761e9, kvBytes: 0.2e9, otherBytes: 0.3e9 },
  loadSeconds: 8.94,
  pipelines: 19,
  kernelsChecked: ["embed", "rms-norm"],
  decode,
  decodeAtDepth: { ...decode, tokens: 64, depth: 4096, gpuMs: 2.0881 },
  decodeByGrammar: { tokens: 128, tokensPerSecond: 260, all: [260], shareOfFree: 0.7522, maskMs: 0.914 },
  dispatchesPerToken: 171,
  cpu: { encodeMs: 0.4, submitMs: 0.21 },
  prefill: [{ tokens: 512, tokensPerSecond: 3036.4, all: [] }],
  timeToFirstTokenMs: 56.44,
};

it("prints a report for people, one line for each thing", () => {
  expect(benchTable(report).split("\n")).toEqual([
    "adapter   test  a test (workgroup, MXFP4 through f16, software)",
    "model     tiny, context 64, KV f32, dense bf16, loaded in 8.9 s",
    expect.stringMatching(/^memory .* weights 13.76 GB, KV cache 200.0 MB, other 300.0 MB$/),
    "ceiling   4.10 TB/s read bandwidth, over 1024 MiB by timestamps; 55.0 TFLOP/s in f32",
    expect.stringMatching(/^sizes {5}table: linearVec 4x128, linearVecInt8 \d/),
    "decode    345.7 tokens/s over 128 tokens from an empty context (3.710 GB a token, 1.28 TB/s, 31.3 % of the ceiling)",
    expect.stringMatching(/^ {10}345.7 tokens\/s over 64 tokens at a depth of 4096 tokens/),
    "          260.0 tokens/s over 128 tokens by a JSON schema (75.2 % of the free rate; a mask comes in 0.91 ms)",
    "a token   171 dispatches, 1.910 and 2.088 ms on the GPU, CPU 0.40 ms to encode and 0.21 ms to submit",
    "prefill   3036.4 tokens/s, 512 tokens",
    "first     56.4 ms to the first token of a 32-token prompt",
    "kernels   19 pipelines; 2 kernels agree with their references here",
  ]);
  expect(benchTable({ ...report, info: { ...fakeInfo, activations: "int8" } })).toContain(
    "MXFP4 through f32 bits, int8 activations, software",
  );
  const { decodeAtDepth: _, decodeByGrammar: __, ...rest } = report;
  const { gpuMs: ___, ...untimed } = decode;
  const shallow = { ...rest, decode: untimed };
  expect(benchTable({ ...shallow, info: fakeInfo })).toContain("MXFP4 through f32 bits");
  expect(benchTable(shallow)).not.toMatch(/at a depth|JSON schema|on the GPU,/);
});

it("prints each kernel of a profile with its share of the time and of the ceiling", () => {
  const kernel = {
    ...{ kernel: "lm-head-vec", dispatches: 1, milliseconds: 0.5, bytes: 1.158e9 },
    ...{ bytesPerSecond: 2.316e12, shareOfCeiling: 0.565, operationsPerSecond: 2.316e12 },
    shareOfArithmetic: 0.042,
  };
  const profile = { pass: "decode", numTokens: 1, position: 64, milliseconds: 2, kernels: [kernel] } as const;
  const lines = benchTable({ ...report, profiles: [profile] })
    .split("\n")
    .slice(-2);
  expect(lines[0]).toMatch(/^decode at depth 64: 2.000 ms/);
  expect(lines[1]?.split(/ +/).join(" ")).toBe(
    " lm-head-vec 1 x 0.500 ms 25.0 % 2.32 TB/s 56.5 % 2.32 TFLOP/s 4.2 %",
  );
});

it("prints a kernel alone with figures that say something, however small the model", () => {
  const kernels: KernelReport["kernels"] = [
    {
      ...{ kernel: "rms-norm", pass: "prefill", numTokens: 512, position: 0, dispatches: 8 },
      ...{ milliseconds: 18.34, microsecondsPerDispatch: 2292.44, bytes: 6144 },
      ...{ bytesPerSecond: 334_000, shareOfCeiling: 0.000145, operationsPerSecond: 45.7e6 },
      shareOfArithmetic: 0.00564,
    },
  ];
  const { schema, info, ceiling } = report;
  const line = kernelTable({ schema, info, ceiling, kernels }).split("\n").at(-1);
  expect(line?.split(/ +/).join(" ")).toBe(
    "rms-norm prefill 512 tokens 2292.4 us 334 kB/s 0.015 % 45.7 MFLOP/s 0.56 %",
  );
});
