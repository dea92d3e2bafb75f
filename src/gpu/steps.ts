import { EngineError } from "../errors.ts";
import type { Gpu } from "./gpu.ts";
import type { Pipeline } from "./pipelines.ts";

/** Workgroup counts of a dispatch. */
export type Grid = readonly [x: number, y: number, z: number];

/** One dispatch of a prebuilt plan. `grid` sees the numbers of the run it is encoded for. */
export interface Step<Run> {
  readonly pipeline: Pipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: (run: Run) => Grid;
  /** What is bound, by the binding's name. Only measurements ask. */
  readonly buffers?: Readonly<Record<string, GPUBuffer>>;
}

/** Whether a run leaves a step out: its grid is empty. */
export const isLeftOut = <Run>(step: Step<Run>, run: Run): boolean => step.grid(run).includes(0);

/** Encodes a plan into one compute pass. A step whose grid is empty is left out. */
export function encodeSteps<Run>(
  encoder: GPUCommandEncoder,
  steps: readonly Step<Run>[],
  run: Run,
  label: string,
): void {
  encodePass(encoder, steps, run, { label });
}

/** As `encodeSteps`, for a pass that writes timestamps. */
export function encodePass<Run>(
  encoder: GPUCommandEncoder,
  steps: Iterable<Step<Run>>,
  run: Run,
  descriptor: GPUComputePassDescriptor,
): void {
  const pass = encoder.beginComputePass(descriptor);
  let current: GPUComputePipeline | undefined;
  for (const step of steps) {
    const [x, y, z] = step.grid(run);
    if (x === 0 || y === 0 || z === 0) continue;
    if (step.pipeline.pipeline !== current) {
      current = step.pipeline.pipeline;
      pass.setPipeline(current);
    }
    pass.setBindGroup(0, step.bindGroup);
    pass.dispatchWorkgroups(x, y, z);
  }
  pass.end();
}

/** Encodes with `encode` and submits once. */
export function submit(gpu: Gpu, label: string, encode: (encoder: GPUCommandEncoder) => void): void {
  const encoder = gpu.device.createCommandEncoder({ label });
  encode(encoder);
  gpu.device.queue.submit([encoder.finish()]);
}

/** Waits until the GPU is through with everything submitted. `during` completes "The GPU went away while". @throws device-lost */
export async function workDone({ device }: Gpu, during: string): Promise<void> {
  try {
    await device.queue.onSubmittedWorkDone();
  } catch (cause) {
    throw new EngineError("device-lost", `The GPU went away while ${during}.`, { cause });
  }
}
