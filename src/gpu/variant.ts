import type { AdapterFacts } from "./adapter.ts";

/**
 * How kernels reduce across invocations: `subgroups` uses subgroup operations (any size from 4 to 64),
 * `workgroup` uses workgroup memory alone and runs everywhere.
 */
export const kernelVariants = ["subgroups", "workgroup"] as const;
export type KernelVariant = (typeof kernelVariants)[number];

/** The kernel variant for an adapter, from its features and subgroup sizes. */
export function chooseVariant(features: ReadonlySet<string>, facts: AdapterFacts): KernelVariant {
  const sizesFit = facts.subgroupMinSize >= 4 && facts.subgroupMaxSize <= 64;
  return features.has("subgroups") && sizesFit ? "subgroups" : "workgroup";
}
