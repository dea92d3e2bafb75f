import { defineKernel, divisible } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/subgroup/subgroup-order.wgsl?raw";
import { reduce } from "../libraries.ts";

export interface SubgroupOrderShape {
  readonly workgroupSize: number;
}

/** What each invocation of a workgroup sees of its subgroup. seen: [workgroupSize, 8] u32. For the variant `subgroups`; not bound to a step. */
export const subgroupOrder = defineKernel({
  id: "subgroup-order",
  wgsl,
  libraries: [reduce],
  bindings: { seen: "read_write" },
  constants: ({ workgroupSize }: SubgroupOrderShape) => ({ WG_SIZE: workgroupSize, NUM_SUMS: 1 }),
  check: ({ workgroupSize }) => divisible("workgroup size", workgroupSize, 4),
});

export const subgroupOrderGrid: Grid = [1, 1, 1];
