import type { Gpu } from "../gpu/gpu.ts";
import {
  composeKernel,
  type KernelDefinition,
  type KernelSource,
  type KernelTarget,
  type Mxfp4Form,
} from "../gpu/kernel.ts";
import { type Bindable, bind } from "../gpu/pipelines.ts";
import type { Grid, Step } from "../gpu/steps.ts";
import type { PassRun } from "./plan-types.ts";
import type { PlanOptions } from "./shapes.ts";

/** Makes something of a kernel for a shape and its buffers: a step of a plan, or a draft of one. */
export type StepBuilder<Built = Step<PassRun>> = <Shape, Name extends string>(
  kernel: KernelDefinition<Shape, Name>,
  shape: Shape,
  buffers: Readonly<Record<Name, Bindable>>,
  grid: (run: PassRun) => Grid,
) => Promise<Built>;

/** A step that is neither compiled nor bound yet. */
export interface StepDraft {
  /** Of its kernel. */
  readonly id: string;
  /** Its text. */
  compose(): KernelSource;
  /** Compiles (each distinct text once) and binds. @throws shader-compile */
  build(): Promise<Step<PassRun>>;
}

/** What texts depend on beside their shapes. */
export type StepForms = Pick<PlanOptions, "variant"> & { readonly mxfp4: Mxfp4Form };

/** Drafts: nothing is composed, compiled or bound before it is asked for. */
export function createDraftBuilder(gpu: Gpu, { variant, mxfp4 }: StepForms): StepBuilder<StepDraft> {
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = gpu.device.limits;
  const target: KernelTarget = {
    variant,
    mxfp4,
    isSoftware: gpu.adapter.isSoftware,
    maxWorkgroupSize: Math.min(maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX),
  };
  return async (kernel, shape, buffers, grid) => {
    const compose = () => composeKernel(kernel, shape, target);
    const build = async () => {
      const pipeline = await gpu.pipelines.compile(compose());
      const bindGroup = bind(gpu, pipeline, buffers);
      return { pipeline, bindGroup, grid, buffers: wholeBuffers(buffers) };
    };
    return { id: kernel.id, compose, build };
  };
}

/** Steps, compiled and bound. */
export function createStepBuilder(gpu: Gpu, forms: StepForms): StepBuilder {
  const draft = createDraftBuilder(gpu, forms);
  return async (kernel, shape, buffers, grid) => (await draft(kernel, shape, buffers, grid)).build();
}

const wholeBuffers = (bound: Readonly<Record<string, Bindable>>): Record<string, GPUBuffer> =>
  Object.fromEntries(
    Object.entries(bound).map(([name, value]) => [name, "buffer" in value ? value.buffer : value]),
  );
