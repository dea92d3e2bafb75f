import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/bench/read-bandwidth.wgsl?raw";

export interface ReadBandwidthShape {
  /** Loads of 16 bytes. */
  readonly numVecs: number;
}

/** Invocations of a workgroup. */
export const readBandwidthGroupSize = 256;

/** Reads a buffer once, as fast as the adapter can. data: [numVecs] vec4<u32>; sums: [groups * 256] vec4<u32>. */
export const readBandwidth = defineKernel({
  id: "read-bandwidth",
  wgsl,
  libraries: [],
  bindings: { data: "read", sums: "read_write" },
  constants: ({ numVecs }: ReadBandwidthShape) => ({ VECS: numVecs, WG_SIZE: readBandwidthGroupSize }),
  // Four strides beyond the end must not wrap around 32 bits.
  check: ({ numVecs }) =>
    numVecs >= 1 && numVecs <= 2 ** 30 ? [] : [`number of loads (${numVecs}) must be 1..${2 ** 30}`],
});

export const readBandwidthGrid = (numGroups: number): Grid => [numGroups, 1, 1];
