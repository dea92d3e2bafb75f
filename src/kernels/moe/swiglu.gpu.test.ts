import { describe, expect, it } from "vitest";
import { expectClose } from "../../testing/compare.ts";
import { randomNormal } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { swigluReference } from "./swiglu.reference.ts";
import { swiglu, swigluGrid } from "./swiglu.ts";

/** Gate, up and result as the specification of gpt-oss gives them, with limit 7. */
const goldens = [
  [20, 20, 55.99962502642654],
  [20, -20, -41.99971876981991],
  [1, 0, 0.8457957659328212],
  [-1, 2, -0.4626127022015361],
  [-7.5, 3, -8.577306937877236e-5],
  [0.5, -1, 0],
] as const;

// exp in WGSL may be off by 3 + 2|x| units in the last place, |x| <= 12 where the result is not tiny.
const tolerance = { absolute: 1e-7, relative: 4e-6 };

async function activate(gate: Float32Array, up: Float32Array, limit: number): Promise<Float32Array> {
  const { out } = await runKernel(await testGpu(), {
    kernel: swiglu,
    shape: { length: gate.length, limit },
    variant: "workgroup",
    inputs: { gate, up },
    outputs: { out: gate.byteLength },
    grid: swigluGrid(gate.length),
  });
  return new Float32Array(out);
}

describe("swiglu reference", () => {
  it.each(goldens)("gives the golden value of gate %f, up %f", (gate, up, expected) => {
    expect(swigluReference(gate, up, 7)).toBeCloseTo(expected, 13);
  });
});

describe("swiglu", () => {
  it("gives the golden values", async () => {
    const out = await activate(
      Float32Array.from(goldens, ([gate]) => gate),
      Float32Array.from(goldens, ([, up]) => up),
      7,
    );
    expectClose(
      out,
      goldens.map(([, , expected]) => expected),
      tolerance,
    );
  });

  it.each([7, 2.5])("matches the reference far beyond a clamp of %f on every side", async (limit) => {
    const sides = [-1e30, -1e4, -100, -61, -60, -59, -20, -limit, -1, 0, 1, limit, 20, 100, 1e4, 1e30];
    const pairs = sides.flatMap((gate) => sides.map((up) => [gate, up] as const));
    const gate = Float32Array.from(pairs, ([value]) => value);
    const up = Float32Array.from(pairs, ([, value]) => value);
    const expected = Float64Array.from(gate, (value, i) => swigluReference(value, up[i] ?? 0, limit));
    expectClose(await activate(gate, up, limit), expected, tolerance);
  });

  it("does not clamp the gate below", async () => {
    const [at, below] = await activate(Float32Array.of(-7, -9), Float32Array.of(0, 0), 7);
    expect(below).toBeGreaterThan((at ?? 0) * 0.1); // -9 sigmoid(-15.3) is -2.0e-6, -7 sigmoid(-11.9) is -4.7e-5
    expect(below).toBeLessThan(0);
  });

  it("matches the reference on a partial workgroup", async () => {
    const gate = randomNormal(1001, 1, 5);
    const up = randomNormal(1001, 2, 5);
    const expected = Float64Array.from(gate, (value, i) => swigluReference(value, up[i] ?? 0, 7));
    expectClose(await activate(gate, up, 7), expected, tolerance);
  });
});
