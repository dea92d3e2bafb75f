import { describe, expect, it } from "vitest";
import { attentionCasesFor, attentionData, expectAttention } from "../../testing/attention.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { attentionSinkPrefill, attentionSinkPrefillGrid } from "./attention-sink-prefill.ts";

// Without reductions, so both variants are the same text.
describe.each(["f32", "f16"] as const)("attention-sink-prefill (KV %s)", (kvFormat) => {
  it.each(attentionCasesFor(kvFormat))("matches the float64 reference: $name", async (given) => {
    const gpu = await testGpu();
    const data = attentionData(given, kvFormat);
    const { out } = await runKernel(gpu, {
      kernel: attentionSinkPrefill,
      shape: { ...given, kvFormat },
      variant: "workgroup",
      step: { position: given.position, numTokens: given.numTokens },
      inputs: data,
      outputs: { out: data.q.byteLength },
      grid: attentionSinkPrefillGrid(given, given.numTokens),
    });
    expectAttention(out, data, given);
  });

  it("leaves tokens beyond num_tokens alone, and everything once stopped", async () => {
    const gpu = await testGpu();
    const given = {
      name: "",
      numHeads: 4,
      numKvHeads: 2,
      headDim: 8,
      window: 0,
      capacity: 8,
      position: 3,
      numTokens: 2,
    };
    const data = attentionData(given, kvFormat);
    const run = async (step: ArrayBuffer | { position: number; numTokens: number }) => {
      const { out } = await runKernel(gpu, {
        kernel: attentionSinkPrefill,
        shape: { ...given, kvFormat },
        variant: "workgroup",
        step,
        inputs: data,
        outputs: { out: data.q.byteLength },
        grid: attentionSinkPrefillGrid(given, given.numTokens),
      });
      return out;
    };
    const partial = await run({ position: 3, numTokens: 1 });
    expectAttention(partial.slice(0, 128), { ...data, expected: data.expected.slice(0, 32) }, given);
    expect([...new Uint32Array(partial).slice(32)]).toEqual(Array(32).fill(poison));
    const stopped = await run(new Uint32Array([3, 2, 1, 0, 0, 0, 0, 0]).buffer);
    expect([...new Uint32Array(stopped)]).toEqual(Array(64).fill(poison));
  });
});
