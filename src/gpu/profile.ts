import { EngineError } from "../errors.ts";
import { readBuffer } from "./buffers.ts";
import type { Gpu } from "./gpu.ts";
import type { Step } from "./steps.ts";
import { median } from "./time-steps.ts";

/** Rounds that are not counted: a GPU takes a while to raise its clocks. */
const warmUps = 40;

/** GPU time of one step of a plan. */
export interface StepTime {
  readonly kernel: string;
  readonly milliseconds: number;
}

/** Whether an adapter has the timestamps that a profile is made of. */
export const canProfile = ({ device }: Pick<Gpu, "device">): boolean =>
  device.features.has("timestamp-query");

/**
 * GPU time of every step, from timestamps around each (a compute pass of its own), as the median over `runs`. The sum
 * is somewhat above what one pass takes, in which steps overlap at their ends. `prepare` is called before each run.
 * @throws request-invalid where the adapter has no timestamps
 */
export async function profileSteps<Run>(
  gpu: Gpu,
  steps: readonly Step<Run>[],
  run: Run,
  prepare: () => void,
  runs = gpu.adapter.isSoftware ? 1 : 7,
): Promise<StepTime[]> {
  const { device } = gpu;
  if (!canProfile(gpu))
    throw new EngineError(
      "request-invalid",
      "This adapter has no timestamp queries, so kernels cannot be timed one by one.",
    );
  const count = 2 * steps.length;
  const querySet = device.createQuerySet({ label: "profile", type: "timestamp", count });
  const buffer = device.createBuffer({
    label: "profile",
    size: count * 8,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const times = steps.map((): number[] => []);
  for (let round = gpu.adapter.isSoftware ? 0 : -warmUps; round < runs; round += 1) {
    prepare();
    const encoder = device.createCommandEncoder({ label: "profile" });
    for (const [i, step] of steps.entries()) {
      const pass = encoder.beginComputePass({
        label: step.pipeline.id,
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
      });
      pass.setPipeline(step.pipeline.pipeline);
      pass.setBindGroup(0, step.bindGroup);
      pass.dispatchWorkgroups(...step.grid(run));
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, buffer, 0);
    device.queue.submit([encoder.finish()]);
    const stamps = new BigUint64Array(await readBuffer(gpu, buffer));
    if (round < 0) continue;
    for (const [i, list] of times.entries())
      list.push(Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n)) / 1e6);
  }
  querySet.destroy();
  buffer.destroy();
  return steps.map((step, i) => ({ kernel: step.pipeline.id, milliseconds: median(times[i] ?? []) }));
}
