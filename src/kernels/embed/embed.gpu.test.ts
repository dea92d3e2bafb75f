import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16 } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { embedReference } from "./embed.reference.ts";
import { embed, embedGrid } from "./embed.ts";

const cases = [
  { name: "first and last row", vocabSize: 7, hiddenSize: 32, tokens: [0, 6] },
  { name: "a partial step", vocabSize: 5, hiddenSize: 36, tokens: [3] },
  {
    name: "several tokens of the real width, one twice",
    vocabSize: 11,
    hiddenSize: 2880,
    tokens: [10, 2, 2, 0, 7],
  },
];

describe.each(kernelVariants)("embed (%s)", (variant) => {
  const run = async (vocabSize: number, hiddenSize: number, tokens: number[], numTokens: number) => {
    const table = randomBf16(vocabSize * hiddenSize, 3);
    const { out } = await runKernel(await testGpu(), {
      kernel: embed,
      shape: { vocabSize, hiddenSize },
      variant,
      step: { position: 0, numTokens },
      inputs: { tokens: Uint32Array.from(tokens), table: table.bits },
      outputs: { out: tokens.length * hiddenSize * 4 },
      grid: embedGrid(tokens.length),
    });
    return { out, table };
  };

  it.each(cases)("copies rows exactly: $name", async ({ vocabSize, hiddenSize, tokens }) => {
    const { out, table } = await run(vocabSize, hiddenSize, tokens, tokens.length);
    expectClose(new Float32Array(out), embedReference(tokens, table.values, hiddenSize), { absolute: 1e-45 });
  });

  it("leaves tokens beyond num_tokens alone", async () => {
    const { out } = await run(4, 32, [1, 2], 1);
    expect([...new Uint32Array(out).slice(32)]).toEqual(Array(32).fill(poison));
  });
});
