// The benchmark up to where a GPU is needed.
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { fakeInfo } from "../../testing/fake-engine.ts";
import { outcomeOf } from "../../testing/terminal.ts";
import { benchCommand, benchTable } from "./bench.ts";

// Mistakes must be told before the GPU is opened: here that would fail, with another code.
beforeAll(() => void vi.stubEnv("DAWN_NODE", "/no/dawn.node"));
afterAll(() => void vi.unstubAllEnvs());

const bench = (...args: string[]) => outcomeOf((terminal) => benchCommand(args, terminal));

it.each<[string, string[], RegExp]>([
  ["a shape that is not published", ["--shape", "7b"], /--shape must be one of nano, 20b, 120b/],
  ["no run", ["--runs", "0"], /--runs.*from 1 to 100/],
  ["one decoded token", ["--tokens", "1"], /--tokens.*from 2/],
  ["an empty model", ["--model", ""], /--model has an empty value/],
  ["a model that is not there", ["--model", "/no/model"], /does not exist/],
  ["words that belong to no option", ["nano"], /"nano" belongs to no option/],
])("tells %s in one sentence", async (_, args, sentence) => {
  const { code, out, err } = await bench(...args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toMatch(sentence);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});

it("--help lists the options", async () => {
  expect(await bench("--help")).toEqual({ code: 0, out: expect.stringContaining("--shape"), err: "" });
});

it("prints a table for people, with how MXFP4 is expanded", () => {
  const rate = (tokens: number, tokensPerSecond: number) => ({ tokens, tokensPerSecond, all: [] });
  const report = {
    info: { ...fakeInfo, mxfp4: "half" },
    decode: rate(128, 12.34),
    decodeAtDepth: { ...rate(64, 10), depth: 4096 },
    prefill: [rate(512, 99)],
    timeToFirstTokenMs: 7,
  } as const;
  expect(benchTable(report).split("\n")).toEqual([
    "adapter   test  a test (workgroup, MXFP4 through f16, software)",
    expect.stringMatching(/^model {5}tiny, .* context 64, KV f32$/),
    "decode    12.3 tokens/s over 128 tokens from an empty context",
    "          10.0 tokens/s at a depth of 4096 tokens",
    "prefill   99.0 tokens/s, 512 tokens",
    "first     7.0 ms to the first token of a 32-token prompt",
  ]);
  const plain = { ...report, info: { ...fakeInfo, mxfp4: "bits" }, decodeAtDepth: undefined } as const;
  expect(benchTable(plain)).toContain("MXFP4 through f32 bits");
});
