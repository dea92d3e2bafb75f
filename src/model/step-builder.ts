import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import { composeKernel, type KernelDefinition, type KernelTarget, type Mxfp4Form } from "../gpu/kernel.ts";
import { type Bindable, bind } from "../gpu/pipelines.ts";
import type { Grid, Step } from "../gpu/steps.ts";
import type { PassRun } from "./plan-types.ts";

/** Compiles a kernel for a shape (each distinct text once) and binds its buffers. */
export type StepBuilder = <Shape, Name extends string>(
  kernel: KernelDefinition<Shape, Name>,
  shape: Shape,
  buffers: Readonly<Record<Name, Bindable>>,
  grid: (run: PassRun) => Grid,
) => Promise<Step<PassRun>>;

export function createStepBuilder(gpu: Gpu, variant: KernelVariant, mxfp4: Mxfp4Form): StepBuilder {
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = gpu.device.limits;
  const target: KernelTarget = {
    variant,
    mxfp4,
    isSoftware: gpu.adapter.isSoftware,
    maxWorkgroupSize: Math.min(maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX),
  };
  return async (kernel, shape, buffers, grid) => {
    const pipeline = await gpu.pipelines.compile(composeKernel(kernel, shape, target));
    const bindGroup = bind(gpu, pipeline, buffers);
    return { pipeline, bindGroup, grid, buffers: wholeBuffers(buffers) };
  };
}

const wholeBuffers = (bound: Readonly<Record<string, Bindable>>): Record<string, GPUBuffer> =>
  Object.fromEntries(
    Object.entries(bound).map(([name, value]) => [name, "buffer" in value ? value.buffer : value]),
  );
