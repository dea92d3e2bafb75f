import { createBufferSet, readBuffer } from "../gpu/buffers.ts";
import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import { composeKernel, type KernelDefinition, type Mxfp4Form } from "../gpu/kernel.ts";
import { bind } from "../gpu/pipelines.ts";
import { encodeSteps, type Grid, submit } from "../gpu/steps.ts";
import { packStep, type StepValues } from "../kernels/step.ts";
import { withMatrices } from "./emulated-matrices.ts";

/** What every word of an output holds before the kernel runs: a NaN, so that an element nobody wrote shows. */
export const poison = 0x7fc0dead;

export interface KernelRun<Shape, Name extends string> {
  readonly kernel: KernelDefinition<Shape, Name>;
  readonly shape: Shape;
  readonly variant: KernelVariant;
  /** Default bits. */
  readonly mxfp4?: Mxfp4Form;
  /** Compile as for a CPU adapter, in smaller workgroups. Default no, whatever the adapter is. */
  readonly isSoftware?: boolean;
  /** Value of the `step` binding, where the kernel has one, and of other uniforms without an input: `part` of what is whole. */
  readonly step?: StepValues | ArrayBuffer;
  /** Contents of bindings that are inputs, or that the kernel updates in place. */
  readonly inputs: Partial<Record<Name, ArrayBufferView>>;
  /** Outputs that start poisoned, by size in bytes. */
  readonly outputs?: Partial<Record<Name, number>>;
  readonly grid: Grid;
}

/**
 * Runs one kernel once under error scopes and returns every `read_write` binding. Frees what it made. Subgroup matrices are
 * emulated where the device has none.
 */
export async function runKernel<Shape, Name extends string>(
  gpu: Gpu,
  run: KernelRun<Shape, Name>,
): Promise<Record<Name, ArrayBuffer>> {
  const source = composeKernel(run.kernel, run.shape, {
    variant: run.variant,
    ...(run.mxfp4 && { mxfp4: run.mxfp4 }),
    ...(run.isSoftware && { isSoftware: true }),
    maxWorkgroupSize: gpu.device.limits.maxComputeInvocationsPerWorkgroup,
  });
  const pipeline = await withMatrices(gpu).pipelines.compile(source);
  const set = createBufferSet(gpu);
  gpu.device.pushErrorScope("validation");
  const names = Object.keys(run.kernel.bindings) as Name[];
  const buffers = Object.fromEntries(names.map((name) => [name, bufferFor(gpu, set, run, name)])) as Record<
    Name,
    GPUBuffer
  >;
  const bindGroup = bind(gpu, pipeline, buffers);
  submit(gpu, run.kernel.id, (encoder) =>
    encodeSteps(encoder, [{ pipeline, bindGroup, grid: () => run.grid }], undefined, run.kernel.id),
  );
  const results = {} as Record<Name, ArrayBuffer>;
  for (const name of names) {
    if (run.kernel.bindings[name] === "read_write") results[name] = await readBuffer(gpu, buffers[name]);
  }
  const error = await gpu.device.popErrorScope();
  await set.settled();
  set.destroy();
  if (error !== null) throw new Error(`${run.kernel.id}: ${error.message}`);
  return results;
}

function bufferFor<Shape, Name extends string>(
  gpu: Gpu,
  set: ReturnType<typeof createBufferSet>,
  run: KernelRun<Shape, Name>,
  name: Name,
): GPUBuffer {
  const input = run.inputs[name];
  const isUniform = run.kernel.bindings[name] === "uniform";
  if ((isUniform && input === undefined) || (name === "step" && run.step !== undefined)) {
    const bytes =
      run.step instanceof ArrayBuffer ? run.step : packStep(run.step ?? { position: 0, numTokens: 1 });
    const buffer = set.uniform(name, bytes.byteLength);
    gpu.device.queue.writeBuffer(buffer, 0, bytes);
    return buffer;
  }
  const sizeBytes = run.outputs?.[name];
  if (input !== undefined) {
    const padded = new Uint8Array(Math.max(4, Math.ceil(input.byteLength / 4) * 4));
    padded.set(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    const buffer = isUniform ? set.uniform(name, padded.byteLength) : set.storage(name, padded.byteLength);
    gpu.device.queue.writeBuffer(buffer, 0, padded);
    return buffer;
  }
  if (sizeBytes === undefined)
    throw new Error(`${run.kernel.id}: binding ${name} has neither input nor output size`);
  const buffer = set.storage(name, sizeBytes);
  gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(poison));
  return buffer;
}
