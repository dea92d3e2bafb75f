import { type Bf16Array, randomBf16, randomNormal } from "../../testing/data.ts";
import { type Routing, routerReference } from "./router.reference.ts";
import type { RouterShape } from "./router-topk.ts";

/** What both forms of the router are tested on. Test data, imported by tests alone. */
export interface RouterInputs {
  readonly x: Float32Array;
  readonly gain: Bf16Array;
  readonly router: Bf16Array;
  readonly bias: Bf16Array;
}

export function randomInputs(shape: RouterShape, numTokens: number, scale: number): RouterInputs {
  const { hiddenSize, numExperts } = shape;
  return {
    x: randomNormal(numTokens * hiddenSize, 1, scale),
    gain: randomBf16(hiddenSize, 2),
    router: randomBf16(numExperts * hiddenSize, 3, 2 / Math.sqrt(hiddenSize)),
    bias: randomBf16(numExperts, 4),
  };
}

export const expectedRouting = (shape: RouterShape, { x, gain, router, bias }: RouterInputs): Routing =>
  routerReference({ ...shape, x, gain: gain.values, router: router.values, bias: bias.values });

export const routerCases = [
  { name: "a single stride", hiddenSize: 128, numExperts: 16, expertsPerToken: 4, numTokens: 1 },
  { name: "a partial stride", hiddenSize: 32, numExperts: 5, expertsPerToken: 2, numTokens: 3 },
  { name: "one expert a token", hiddenSize: 96, numExperts: 16, expertsPerToken: 1, numTokens: 33 },
  { name: "every expert chosen", hiddenSize: 64, numExperts: 5, expertsPerToken: 5, numTokens: 3 },
  { name: "many tokens", hiddenSize: 64, numExperts: 16, expertsPerToken: 4, numTokens: 400 },
  { name: "the width of 20b", hiddenSize: 2880, numExperts: 32, expertsPerToken: 4, numTokens: 3 },
  { name: "the width of 120b", hiddenSize: 2880, numExperts: 128, expertsPerToken: 4, numTokens: 2 },
  { name: "as many experts as fit", hiddenSize: 64, numExperts: 256, expertsPerToken: 8, numTokens: 2 },
  { name: "a huge residual", hiddenSize: 2880, numExperts: 32, expertsPerToken: 4, numTokens: 2, scale: 3e4 },
];
