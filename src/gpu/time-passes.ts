import { createBufferSet, readBuffer } from "./buffers.ts";
import type { Gpu } from "./gpu.ts";
import { encodePass, type Step, submit, workDone } from "./steps.ts";

/** Passes under way at once, so that the GPU never waits for the CPU. */
const ahead = 4;

/** Runs of one query set, which has at most 4,096 entries: a begin and an end each. */
const mostRuns = 2048;

/**
 * Milliseconds that each of `runs` takes on the GPU, one pass and one submit each, in order, by timestamps of its begin and
 * end: what lies between submits is not in it. The adapter must have timestamps (`canProfile`). More than 2,048 runs are timed
 * in groups of as many, and the GPU waits for the CPU between groups. @throws device-lost
 */
export async function timePasses<Run>(
  gpu: Gpu,
  steps: readonly Step<Run>[],
  runs: readonly Run[],
): Promise<number[]> {
  const times: number[] = [];
  for (let first = 0; first < runs.length; first += mostRuns)
    times.push(...(await timeGroup(gpu, steps, runs.slice(first, first + mostRuns))));
  return times;
}

async function timeGroup<Run>(
  gpu: Gpu,
  steps: readonly Step<Run>[],
  runs: readonly Run[],
): Promise<number[]> {
  const { device } = gpu;
  const count = 2 * runs.length;
  const querySet = device.createQuerySet({ label: "passes", type: "timestamp", count });
  const buffers = createBufferSet(gpu);
  try {
    const stamps = buffers.queryResults("passes", 8 * count);
    const underWay: Promise<unknown>[] = [];
    for (const [i, run] of runs.entries()) {
      submit(gpu, "passes", (encoder) => {
        const places = { beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        encodePass(encoder, steps, run, { label: "passes", timestampWrites: { querySet, ...places } });
        if (i === runs.length - 1) encoder.resolveQuerySet(querySet, 0, count, stamps, 0);
      });
      const ended = workDone(gpu, "passes were timed");
      ended.catch(() => {}); // awaited later, or not at all where one before it fails
      underWay.push(ended);
      if (underWay.length >= ahead) await underWay.shift();
    }
    const times = new BigUint64Array(await readBuffer(gpu, stamps));
    // Drivers may set their clock back.
    return runs.map((_, i) => Math.max(0, Number((times[2 * i + 1] ?? 0n) - (times[2 * i] ?? 0n)) / 1e6));
  } finally {
    querySet.destroy();
    buffers.destroy();
  }
}
