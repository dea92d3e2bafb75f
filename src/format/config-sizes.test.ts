// What a config may ask for is what the kernels take: neither less, which would refuse models that run, nor more.
import { expect, it } from "vitest";
import { checkAttentionShape } from "../kernels/attention/attention-shape.ts";
import { moeGroup } from "../kernels/moe/moe-group.ts";
import { checkExperts } from "../kernels/moe/moe-shape.ts";
import { routerTopk } from "../kernels/moe/router-topk.ts";
import { maxExperts, maxHeadDim, mxfp4BlockValues } from "./config-sizes.ts";

const moe = {
  hiddenSize: 64,
  expertWidth: 64,
  numExperts: 8,
  expertsPerToken: 4,
  expertFormat: "bf16",
  eps: 1e-5,
  swigluLimit: 7,
} as const;
const head = { numHeads: 4, numKvHeads: 2, headDim: 64, kvFormat: "f32", window: 8, capacity: 8 } as const;
const problemsWith = {
  experts: (numExperts: number) => [
    ...(routerTopk.check?.({ ...moe, numExperts }) ?? []),
    ...(moeGroup.check?.({ ...moe, numExperts }) ?? []),
  ],
  headDim: (headDim: number) => checkAttentionShape({ ...head, headDim }),
  hiddenSize: (hiddenSize: number) => checkExperts({ ...moe, hiddenSize }),
  expertWidth: (expertWidth: number) => checkExperts({ ...moe, expertWidth }),
};

it.each([
  ["experts", maxExperts, maxExperts + 1],
  ["headDim", maxHeadDim, maxHeadDim + 8],
  ["hiddenSize", 3 * mxfp4BlockValues, 2.5 * mxfp4BlockValues],
  ["expertWidth", 3 * mxfp4BlockValues, 2.5 * mxfp4BlockValues],
] as const)("the kernels take %s of %i and refuse %i", (what, right, wrong) => {
  expect(problemsWith[what](right)).toEqual([]);
  expect(problemsWith[what](wrong)).not.toEqual([]);
});
