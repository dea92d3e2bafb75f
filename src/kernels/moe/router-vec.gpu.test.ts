import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { toBf16 } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { packStep, stepWords } from "../step.ts";
import { deinterleave } from "./moe.cases.ts";
import { expectedRouting, type RouterInputs, randomInputs, routerCases } from "./router.cases.ts";
import { routerVec, routerVecGrid } from "./router-vec.ts";

const cases = [
  ...routerCases.filter(({ numTokens }) => numTokens <= 33),
  { name: "wider than any real one", hiddenSize: 5760, numExperts: 5, expertsPerToken: 2, numTokens: 2 },
  { name: "more experts than vec4s", hiddenSize: 32, numExperts: 19, expertsPerToken: 2, numTokens: 2 },
  { name: "a single expert", hiddenSize: 96, numExperts: 1, expertsPerToken: 1, numTokens: 2 },
  { name: "a tiny residual", hiddenSize: 96, numExperts: 8, expertsPerToken: 2, numTokens: 2, scale: 1e-4 },
];

describe.each(kernelVariants)("router-vec (%s)", (variant) => {
  const small = { hiddenSize: 64, numExperts: 5, expertsPerToken: 2, eps: 1e-5 };

  async function route(
    shape: typeof small,
    { x, gain, router, bias }: RouterInputs,
    step: ArrayBuffer,
    gridTokens: number,
  ) {
    const { logits, normed } = await runKernel(await testGpu(), {
      ...{ kernel: routerVec, shape, variant, step },
      inputs: { x, gain: gain.bits, weight: router.bits, bias: bias.bits },
      outputs: { logits: gridTokens * shape.numExperts * 4, normed: x.byteLength },
      grid: routerVecGrid(shape, gridTokens),
    });
    return { logits: new Float32Array(logits), normed: new Float32Array(normed) };
  }

  it.each(cases)("matches the float64 reference: $name", async ({ numTokens, scale = 1, ...sizes }) => {
    const shape = { ...sizes, eps: 1e-5 };
    const inputs = randomInputs(shape, numTokens, scale);
    const expected = expectedRouting(shape, inputs);
    const got = await route(shape, inputs, packStep({ position: 0, numTokens }), numTokens);
    // Sums of H products of size ~0.1 in f32, with partial sums of size ~5.
    expectClose(got.logits, expected.logits, { absolute: 5e-6, relative: 1e-6 }, "logits");
    const normed = deinterleave(got.normed, shape.hiddenSize);
    expectClose(normed, expected.normed, { absolute: 1e-6, relative: 1e-5 }, "normed");
  });

  it("gives the bias of an expert whose row is zero, to the bit", async () => {
    const bias = toBf16([-1e30, 3e30, 0.125, -7, 1e-20]);
    const inputs = { ...randomInputs(small, 1, 1), router: toBf16(new Float32Array(5 * 64)), bias };
    const { logits } = await route(small, inputs, packStep({ position: 0, numTokens: 1 }), 1);
    expect([...logits]).toEqual([...Float32Array.from(bias.values)]);
  });

  it("leaves tokens beyond num_tokens alone, and every token once stopped", async () => {
    const inputs = randomInputs(small, 3, 1);
    const step = packStep({ position: 0, numTokens: 2 });
    const words = ({ logits, normed }: Awaited<ReturnType<typeof route>>) => ({
      logits: [...new Uint32Array(logits.buffer)],
      normed: [...new Uint32Array(normed.buffer)],
    });
    const some = words(await route(small, inputs, step, 3));
    expect(some.logits.slice(10)).toEqual(Array(5).fill(poison));
    expect(some.normed.slice(128)).toEqual(Array(64).fill(poison));
    expect([...some.logits.slice(0, 10), ...some.normed.slice(0, 128)]).not.toContain(poison);
    new Uint32Array(step)[stepWords.stopped] = 1;
    const none = words(await route(small, inputs, step, 3));
    expect(new Set([...none.logits, ...none.normed])).toEqual(new Set([poison]));
  });

  it("refuses a width that is no whole blocks", () => {
    expect(routerVec.check?.({ ...small, hiddenSize: 40 })).toHaveLength(1);
  });
});
