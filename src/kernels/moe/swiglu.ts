import { defineKernel, f32 } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/moe/swiglu.wgsl?raw";
import { swiglu as swigluLibrary } from "../libraries.ts";

const workgroupSize = 64;

export interface SwigluShape {
  readonly length: number;
  /** The model's `swiglu_limit`. */
  readonly limit: number;
}

/** The experts' activation by itself. gate, up, out: [N] f32. Not bound to a step. */
export const swiglu = defineKernel({
  id: "swiglu",
  wgsl,
  libraries: [swigluLibrary],
  bindings: { gate: "read", up: "read", out: "read_write" },
  constants: ({ length, limit }: SwigluShape) => ({ N: length, LIMIT: f32(limit), WG_SIZE: workgroupSize }),
});

/** One invocation an element. */
export const swigluGrid = (length: number): Grid => [Math.ceil(length / workgroupSize), 1, 1];
