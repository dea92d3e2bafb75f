import { describe, expect, it } from "vitest";
import { expectClose } from "../../testing/compare.ts";
import { toBf16 } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { packStep, stepWords } from "../step.ts";
import { expectedRouting, type RouterInputs, randomInputs, routerCases } from "./router.cases.ts";
import { type RouterShape, routerTopk, routerTopkGrid } from "./router-topk.ts";

async function route(
  shape: RouterShape,
  inputs: RouterInputs,
  run: { readonly step: ArrayBuffer; readonly gridTokens: number },
): Promise<{ ids: Uint32Array; weights: Float32Array; normed: Float32Array }> {
  const outputBytes = run.gridTokens * shape.expertsPerToken * 4;
  const { ids, weights, normed } = await runKernel(await testGpu(), {
    kernel: routerTopk,
    shape,
    variant: "workgroup", // the kernel uses no reduction library: one text for both variants
    step: run.step,
    inputs: {
      x: inputs.x,
      gain: inputs.gain.bits,
      router: inputs.router.bits,
      bias: inputs.bias.bits,
    },
    outputs: { ids: outputBytes, weights: outputBytes, normed: inputs.x.byteLength },
    grid: routerTopkGrid(run.gridTokens),
  });
  return { ids: new Uint32Array(ids), weights: new Float32Array(weights), normed: new Float32Array(normed) };
}

/** The least distance of two logits of a token: below f32's error, the order would be a matter of luck. */
function leastMargin(logits: Float64Array, numExperts: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let start = 0; start < logits.length; start += numExperts) {
    const sorted = logits.slice(start, start + numExperts).sort();
    for (let i = 1; i < numExperts; i += 1) least = Math.min(least, (sorted[i] ?? 0) - (sorted[i - 1] ?? 0));
  }
  return least;
}

describe("router-topk", () => {
  it.each(routerCases)("matches the float64 reference: $name", async ({ numTokens, scale = 1, ...sizes }) => {
    const shape = { ...sizes, eps: 1e-5 };
    const inputs = randomInputs(shape, numTokens, scale);
    const expected = expectedRouting(shape, inputs);
    // Logits of size ~5 from f32 sums of H products: error ~1e-6; the seeds keep every margin above that.
    expect(leastMargin(expected.logits, shape.numExperts)).toBeGreaterThan(2e-6);
    const got = await route(shape, inputs, {
      step: packStep({ position: 0, numTokens }),
      gridTokens: numTokens,
    });
    expect([...got.ids]).toEqual([...expected.ids]);
    expectClose(got.weights, expected.weights, { absolute: 2e-6 });
    expectClose(got.normed, expected.normed, { absolute: 1e-6, relative: 1e-5 }, "normed");
  });

  it("gives ties to the lower expert, also where all are equal", async () => {
    const shape = { hiddenSize: 32, numExperts: 16, expertsPerToken: 4, eps: 1e-5 };
    const inputs = randomInputs(shape, 1, 1);
    const tied = (bias: ArrayLike<number>): RouterInputs => ({
      ...inputs,
      router: toBf16(new Float32Array(16 * 32)),
      bias: toBf16(bias),
    });
    const run = { step: packStep({ position: 0, numTokens: 1 }), gridTokens: 1 };
    const equal = await route(shape, tied(new Float32Array(16)), run);
    expect([...equal.ids]).toEqual([0, 1, 2, 3]);
    expect([...equal.weights]).toEqual([0.25, 0.25, 0.25, 0.25]);
    const mixed = [0, 2, 0, 3, 0, 2, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2];
    expect([...(await route(shape, tied(mixed), run)).ids]).toEqual([3, 11, 1, 5]);
  });

  it("survives logits far apart and all very negative", async () => {
    const shape = { hiddenSize: 32, numExperts: 5, expertsPerToken: 4, eps: 1e-5 };
    const inputs: RouterInputs = {
      ...randomInputs(shape, 1, 1),
      router: toBf16(new Float32Array(5 * 32)),
      bias: toBf16([-1e30, -3e30, -2e4, -1e4, -2e30]),
    };
    const got = await route(shape, inputs, { step: packStep({ position: 0, numTokens: 1 }), gridTokens: 1 });
    expect([...got.ids]).toEqual([3, 2, 0, 4]);
    expect([...got.weights]).toEqual([1, 0, 0, 0]);
  });

  it("leaves tokens beyond num_tokens alone, and every token once stopped", async () => {
    const shape = { hiddenSize: 32, numExperts: 5, expertsPerToken: 2, eps: 1e-5 };
    const inputs = randomInputs(shape, 3, 1);
    const step = packStep({ position: 0, numTokens: 2 });
    const some = await route(shape, inputs, { step, gridTokens: 3 });
    expect([...new Uint32Array(some.weights.buffer).slice(4), ...some.ids.slice(4)]).toEqual(
      Array(4).fill(poison),
    );
    expect(some.ids[3]).toBeLessThan(5);
    expect([...new Uint32Array(some.normed.buffer).slice(64)]).toEqual(Array(32).fill(poison));
    new Uint32Array(step)[stepWords.stopped] = 1;
    const none = await route(shape, inputs, { step, gridTokens: 3 });
    expect([...new Uint32Array(none.weights.buffer), ...none.ids]).toEqual(Array(12).fill(poison));
    expect(new Set(new Uint32Array(none.normed.buffer))).toEqual(new Set([poison]));
  });

  it("refuses more experts than a workgroup has lanes, and more choices than experts", async () => {
    const shape = { hiddenSize: 32, numExperts: 257, expertsPerToken: 4, eps: 1e-5 };
    expect(routerTopk.check?.(shape)).toHaveLength(1);
    expect(routerTopk.check?.({ ...shape, numExperts: 4, expertsPerToken: 5 })).toHaveLength(1);
  });
});
