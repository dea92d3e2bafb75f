import { isEngineError } from "../errors.ts";
import { createBufferSet, readBuffer } from "../gpu/buffers.ts";
import type { Gpu, KernelVariant } from "../gpu/gpu.ts";
import { composeKernel } from "../gpu/kernel.ts";
import { bind } from "../gpu/pipelines.ts";
import { encodeSteps, submit } from "../gpu/steps.ts";
import { subgroupOrder, subgroupOrderGrid } from "../kernels/subgroup/subgroup-order.ts";

/** A size in use, of several subgroups whatever their size is, of which the last may be half empty; and one of a CPU adapter's. */
const workgroupSizes = { gpu: 96, software: 8 };

/**
 * The variant for this adapter: `gpu.variant`, but `workgroup` where its subgroups are not what the kernels take them for. WGSL
 * leaves open how invocations are put into subgroups.
 * @throws out-of-memory | device-lost
 */
export async function chooseTestedVariant(gpu: Gpu): Promise<KernelVariant> {
  if (gpu.variant !== "subgroups") return gpu.variant;
  const workgroupSize = gpu.adapter.isSoftware ? workgroupSizes.software : workgroupSizes.gpu;
  return (await subgroupsAreInOrder(gpu, workgroupSize)) ? "subgroups" : "workgroup";
}

/** Whether a workgroup's invocations fill subgroups in order, of the size that they are told. @throws out-of-memory | device-lost */
async function subgroupsAreInOrder(gpu: Gpu, workgroupSize: number): Promise<boolean> {
  const buffers = createBufferSet(gpu);
  try {
    const source = composeKernel(subgroupOrder, { workgroupSize }, { variant: "subgroups" });
    const pipeline = await gpu.pipelines.compile(source);
    const seen = buffers.storage("subgroup test", 32 * workgroupSize);
    await buffers.settled();
    const step = { pipeline, bindGroup: bind(gpu, pipeline, { seen }), grid: () => subgroupOrderGrid };
    submit(gpu, "subgroup test", (encoder) => encodeSteps(encoder, [step], undefined, "subgroup test"));
    return isInOrder(new Uint32Array(await readBuffer(gpu, seen)), workgroupSize);
  } catch (error) {
    if (isEngineError(error, "shader-compile")) return false;
    throw error;
  } finally {
    buffers.destroy();
  }
}

/** Whether every invocation saw what it sees where they fill subgroups in order. seen: as subgroup-order leaves it. */
function isInOrder(seen: Uint32Array, workgroupSize: number): boolean {
  const [size = 0] = seen;
  const sum = (workgroupSize * (workgroupSize + 1) * (2 * workgroupSize + 1)) / 6;
  const sees = (index: number) => {
    const least = index - (index % size);
    const count = Math.min(size, workgroupSize - least);
    return [size, index % size, least, least + count - 1, count, index ^ 1, index ^ 2, sum];
  };
  return (
    [4, 8, 16, 32, 64].includes(size) && seen.every((value, i) => value === sees(Math.floor(i / 8))[i % 8])
  );
}
