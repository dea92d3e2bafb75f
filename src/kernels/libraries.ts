import type { KernelLibrary } from "../gpu/kernel.ts";
import bf16Wgsl from "../shaders/lib/bf16.wgsl?raw";
import reduceSubgroupsWgsl from "../shaders/lib/reduce-subgroups.wgsl?raw";
import reduceWorkgroupWgsl from "../shaders/lib/reduce-workgroup.wgsl?raw";
import stepWgsl from "../shaders/lib/step.wgsl?raw";

/** bf16 expansion. */
export const bf16: KernelLibrary = bf16Wgsl;
/** The step state's struct. */
export const step: KernelLibrary = stepWgsl;
/** Workgroup sums; needs the constants WG_SIZE (a power of two) and NUM_SUMS. */
export const reduce: KernelLibrary = { subgroups: reduceSubgroupsWgsl, workgroup: reduceWorkgroupWgsl };
