import { describe, expect, it } from "vitest";
import {
  type AttentionCase,
  attentionCasesFor,
  attentionData,
  expectAttention,
  threes,
} from "../../testing/attention.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import {
  attentionPartialsBytes,
  attentionSinkDecode,
  attentionSinkDecodeGrid,
  decodeSplits,
  maxSplits,
} from "./attention-sink-decode.ts";
import { attentionSinkMerge, attentionSinkMergeGrid } from "./attention-sink-merge.ts";
import type { KvFormat } from "./kv-cache.ts";

type StepInput = ArrayBuffer | { position: number; numTokens: number };

async function decode(given: AttentionCase, kvFormat: KvFormat, step: StepInput, splits?: number) {
  const data = attentionData(given, kvFormat);
  const maxKeys = given.position + given.numTokens;
  const [x, y, z] = attentionSinkDecodeGrid(given, given.numTokens, given.window || maxKeys);
  const { partials } = await runKernel(await testGpu(), {
    kernel: attentionSinkDecode,
    shape: { ...given, kvFormat },
    variant: "workgroup",
    step,
    inputs: data,
    outputs: { partials: attentionPartialsBytes(given, given.numTokens) },
    grid: [x, splits ?? y, z],
  });
  return { data, partials };
}

async function merge(given: AttentionCase, { data, partials }: Awaited<ReturnType<typeof decode>>) {
  const { out } = await runKernel(await testGpu(), {
    kernel: attentionSinkMerge,
    shape: given,
    variant: "workgroup",
    step: given,
    inputs: { partials: new Uint8Array(partials), sinks: data.sinks },
    outputs: { out: data.q.byteLength },
    grid: attentionSinkMergeGrid(given, given.numTokens),
  });
  return out;
}

const depth: AttentionCase = { name: "depth 700", ...threes, position: 700, numTokens: 2 };

// Without reductions, so both variants are the same text.
describe.each(["f32", "f16"] as const)("attention-sink-decode and -merge (KV %s)", (kvFormat) => {
  it.each(attentionCasesFor(kvFormat))("match the float64 reference: $name", async (given) => {
    const decoded = await decode(given, kvFormat, given);
    expectAttention(await merge(given, decoded), decoded.data, given);
  });

  it.each([1, 2, 5, 11, 12, 32])("agree for every number of splits: %i", async (splits) => {
    const decoded = await decode(depth, kvFormat, depth, splits);
    expectAttention(await merge(depth, decoded), decoded.data, depth);
  });

  it("leaves tokens beyond num_tokens and splits without keys alone, and everything once stopped", async () => {
    const given: AttentionCase = { ...depth, position: 69 };
    const recordWords = 4 + given.headDim;
    const tokenWords = given.numHeads * maxSplits * recordWords;
    const { partials } = await decode(given, kvFormat, { position: 69, numTokens: 1 }, 9);
    const words = new Uint32Array(partials);
    expect(new Set(words.slice(tokenWords))).toEqual(new Set([poison]));
    expect(new Set(words.slice(2 * recordWords, maxSplits * recordWords))).toEqual(new Set([poison]));
    expect(words.slice(0, 2 * recordWords)).not.toContain(poison);
    const stopped = await decode(given, kvFormat, new Uint32Array([69, 2, 1, 0, 0, 0, 0, 0]).buffer);
    expect(new Set(new Uint32Array(stopped.partials))).toEqual(new Set([poison]));
  });
});

describe("decodeSplits", () => {
  it("gives a workgroup for 64 keys, at least one and at most 32", () => {
    expect([0, 1, 64, 65, 128, 2048, 2049, 131072].map(decodeSplits)).toEqual([1, 1, 1, 2, 2, 32, 32, 32]);
  });
});
