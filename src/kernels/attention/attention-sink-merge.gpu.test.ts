import { describe, expect, it } from "vitest";
import { expectClose } from "../../testing/compare.ts";
import { randomNormal, seededRandom, toBf16 } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { attentionPartialsBytes, maxSplits } from "./attention-sink-decode.ts";
import { type AttentionPartial, attentionSinkMergeReference } from "./attention-sink-merge.reference.ts";
import { attentionSinkMerge, attentionSinkMergeGrid } from "./attention-sink-merge.ts";

const cases = [
  { name: "one split", numHeads: 8, headDim: 64, numTokens: 1, splits: 1, spread: 2, sinkShift: 0 },
  {
    name: "several splits and tokens",
    numHeads: 8,
    headDim: 64,
    numTokens: 3,
    splits: 7,
    spread: 2,
    sinkShift: 0,
  },
  { name: "every split", numHeads: 3, headDim: 64, numTokens: 1, splits: 32, spread: 2, sinkShift: 0 },
  { name: "head dim 40", numHeads: 3, headDim: 40, numTokens: 1, splits: 32, spread: 2, sinkShift: 0 },
  { name: "maxima far apart", numHeads: 8, headDim: 64, numTokens: 1, splits: 9, spread: 1e4, sinkShift: 0 },
  { name: "a sink above all", numHeads: 8, headDim: 64, numTokens: 1, splits: 9, spread: 1, sinkShift: 30 },
  {
    name: "a sink below all",
    numHeads: 8,
    headDim: 64,
    numTokens: 1,
    splits: 9,
    spread: 1,
    sinkShift: -3e38,
  },
];

type Case = (typeof cases)[number];

function partialFor(given: Case, seed: number): AttentionPartial {
  const random = seededRandom(seed);
  return {
    largest: Math.fround((random() - 0.5) * given.spread),
    weightSum: Math.fround(1 + 63 * random()),
    sum: randomNormal(given.headDim, seed),
  };
}

/** Records as attention-sink-decode writes them; what no split wrote stays poisoned. */
function build(given: Case) {
  const { numHeads, headDim, numTokens, splits } = given;
  const bytes = attentionPartialsBytes({ ...given, numKvHeads: 1 }, numTokens);
  const words = new Uint32Array(bytes / 4).fill(poison);
  const floats = new Float32Array(words.buffer);
  const sinks = toBf16(randomNormal(numHeads, 5).map((sink) => sink + given.sinkShift));
  const expected: number[] = [];
  for (let row = 0; row < numTokens * numHeads; row += 1) {
    const partials = Array.from({ length: splits }, (_, split) =>
      partialFor(given, 1 + row * splits + split),
    );
    for (const [split, { largest, weightSum, sum }] of partials.entries()) {
      const at = (row * maxSplits + split) * (4 + headDim);
      floats.set([largest, weightSum, splits, 0], at);
      floats.set(sum, at + 4);
    }
    expected.push(...attentionSinkMergeReference(partials, sinks.values[row % numHeads] ?? Number.NaN));
  }
  return { partials: words, sinks: sinks.bits, expected };
}

async function run(given: Case, step: ArrayBuffer | { position: number; numTokens: number }) {
  const data = build(given);
  const { out } = await runKernel(await testGpu(), {
    kernel: attentionSinkMerge,
    shape: given,
    variant: "workgroup",
    step,
    inputs: data,
    outputs: { out: data.expected.length * 4 },
    grid: attentionSinkMergeGrid(given, given.numTokens, Number.POSITIVE_INFINITY),
  });
  return { out, expected: data.expected };
}

// Without reductions, so both variants are the same text.
describe("attention-sink-merge", () => {
  it.each(cases)("matches the float64 reference: $name", async (given) => {
    const { out, expected } = await run(given, { position: 0, numTokens: given.numTokens });
    const largest = Math.max(...expected.map(Math.abs));
    // f32 sums of up to 32 terms, and WGSL's exp: 3 + 2|x| ulp, x up to 30 where it counts.
    expectClose(new Float32Array(out), expected, { absolute: 5e-6 * largest });
  });

  it("leaves tokens beyond num_tokens alone, and everything once stopped", async () => {
    const given = { name: "", numHeads: 2, headDim: 8, numTokens: 2, splits: 2, spread: 1, sinkShift: 0 };
    const partial = await run(given, { position: 0, numTokens: 1 });
    expectClose(new Float32Array(partial.out).slice(0, 16), partial.expected.slice(0, 16), {
      absolute: 1e-6,
    });
    expect([...new Uint32Array(partial.out).slice(16)]).toEqual(Array(16).fill(poison));
    const stopped = await run(given, new Uint32Array([0, 2, 1, 0, 0, 0, 0, 0]).buffer);
    expect([...new Uint32Array(stopped.out)]).toEqual(Array(32).fill(poison));
  });
});
