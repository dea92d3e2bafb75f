// The choice of experts in moe-gate-up-swiglu-vec (lib/choose-experts-*), by the routes it leaves.
import { describe, expect, it } from "vitest";
import { kernelVariants } from "../../gpu/gpu.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomNormal, seededRandom } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { defaultTuning } from "../tuning.ts";
import { unpackRoutes } from "./moe.cases.ts";
import { moeGateUpSwigluVec } from "./moe-gate-up-swiglu-vec.ts";
import { choiceReference } from "./router.reference.ts";

/** How logits are made: [T, E] from a seed. */
const kinds = {
  normal: (length: number) => randomNormal(length, 5),
  "big and of both signs": (length: number) => randomNormal(length, 6, 1e30),
  "tiny and of both signs": (length: number) => randomNormal(length, 7, 1e-36),
  "all very negative": (length: number) => randomNormal(length, 8).map((logit) => logit - 3e4),
  "all equal": (length: number) => new Float32Array(length).fill(-2.5),
  "zeros of both signs": (length: number) => Float32Array.from({ length }, (_, i) => (i % 3 === 0 ? 0 : -0)),
  "of few values": (length: number) => {
    const random = seededRandom(9);
    return Float32Array.from({ length }, () => Math.floor(3 * random()) - 1);
  },
  rising: (length: number) => Float32Array.from({ length }, (_, i) => i / 8),
  falling: (length: number) => Float32Array.from({ length }, (_, i) => -i / 8),
};
const kindNames = Object.keys(kinds) as (keyof typeof kinds)[];

/** Experts, choices, tokens; lanes of a workgroup where not the default. */
const sizes: readonly (readonly [E: number, A: number, T: number, lanes?: number])[] = [
  [1, 1, 2],
  [5, 1, 3],
  [5, 5, 3],
  [8, 4, 3],
  [16, 4, 33],
  [32, 4, 3],
  [32, 4, 3, 64],
  [32, 32, 2],
  [33, 7, 2],
  [128, 4, 3],
  [128, 4, 3, 8],
  [64, 64, 1, 128],
  [256, 8, 2],
];

describe.each(kernelVariants)("choice of experts (%s)", (variant) => {
  async function choose(logits: Float32Array, [E, A, T, lanes]: (typeof sizes)[number]) {
    const { gateUpVec } = defaultTuning;
    const shape = {
      ...{ hiddenSize: 32, expertWidth: 32, numExperts: E, expertsPerToken: A },
      ...({ expertFormat: "mxfp4", eps: 1e-5, swigluLimit: 7 } as const),
      tuning: {
        ...defaultTuning,
        gateUpVec: { ...gateUpVec, workgroupSize: lanes ?? gateUpVec.workgroupSize },
      },
    };
    const { routes } = await runKernel(await testGpu(), {
      ...{ kernel: moeGateUpSwigluVec, shape, variant, step: { position: 0, numTokens: T } },
      inputs: {
        inputs: new Float32Array(T * 32),
        logits,
        blocks: new Uint8Array(E * 64 * 16),
        scales: new Uint8Array(E * 64),
        bias: new Uint16Array(E * 64),
      },
      outputs: { hidden: T * A * 32 * 4, routes: T * A * 8 },
      grid: [1, A, T], // these workgroups leave the routes
    });
    return unpackRoutes(routes);
  }

  it.each(
    sizes.map((size) => ({
      size,
      name: `${size[1]} of ${size[0]}, tokens ${size[2]}, lanes ${size[3] ?? "as tuned"}`,
    })),
  )("is the reference's for logits of every kind: $name", async ({ size }) => {
    const [numExperts, expertsPerToken, numTokens] = size;
    for (const kind of kindNames) {
      const logits = kinds[kind](numTokens * numExperts);
      const expected = choiceReference(logits, { numExperts, expertsPerToken });
      const got = await choose(logits, size);
      expect([...got.ids], kind).toEqual([...expected.ids]);
      // exp in f32 is good to (3 + 2|x|) ulp, and differences of logits to half of one of theirs.
      expectClose(got.weights, expected.weights, { absolute: 5e-6 }, kind);
    }
  });
});
