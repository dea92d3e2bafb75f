import { createBufferSet, flushWrites, readBuffer } from "./buffers.ts";
import type { Gpu } from "./gpu.ts";
import { encodePass, type Step, submit } from "./steps.ts";

/** Times passes on the GPU. `method` says by what: its own timestamps, or the CPU's clock around a submit. */
export interface GpuTimer {
  readonly method: "timestamps" | "clock";
  /** Milliseconds of one pass that runs all steps `rounds` times. @throws device-lost */
  time<Run>(steps: readonly Step<Run>[], run: Run, rounds: number): Promise<number>;
  destroy(): void;
}

export function createGpuTimer(gpu: Gpu): GpuTimer {
  const { device } = gpu;
  if (!device.features.has("timestamp-query")) return clockTimer(gpu);
  const querySet = device.createQuerySet({ label: "timer", type: "timestamp", count: 2 });
  const buffers = createBufferSet(gpu);
  const stamps = buffers.queryResults("timer", 16);
  return {
    method: "timestamps",
    async time(steps, run, rounds) {
      submit(gpu, "timer", (encoder) => {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
        encodePass(encoder, repeated(steps, rounds), run, { label: "timer", timestampWrites });
        encoder.resolveQuerySet(querySet, 0, 2, stamps, 0);
      });
      const [begin = 0n, end = 0n] = new BigUint64Array(await readBuffer(gpu, stamps));
      return Math.max(0, Number(end - begin) / 1e6); // drivers may set their clock back
    },
    destroy() {
      querySet.destroy();
      buffers.destroy();
    },
  };
}

function clockTimer(gpu: Gpu): GpuTimer {
  return {
    method: "clock",
    async time(steps, run, rounds) {
      await flushWrites(gpu);
      const started = performance.now();
      submit(gpu, "timer", (encoder) =>
        encodePass(encoder, repeated(steps, rounds), run, { label: "timer" }),
      );
      await flushWrites(gpu);
      return performance.now() - started;
    },
    destroy() {},
  };
}

function* repeated<T>(items: readonly T[], rounds: number): Generator<T> {
  for (let round = 0; round < rounds; round += 1) yield* items;
}

export interface RoundTiming {
  /** A timed pass lasts at least so long, so that a clock in steps of 100 us, as pages have, errs little. Default 5. */
  readonly leastMs?: number;
  /** Timed passes; the median counts. Default 3. */
  readonly runs?: number;
}

/** Milliseconds of one round of steps: the median over passes that are filled with as many rounds as make them long enough. */
export async function timeRound<Run>(
  timer: GpuTimer,
  steps: readonly Step<Run>[],
  run: Run,
  { leastMs = 5, runs = 3 }: RoundTiming = {},
): Promise<number> {
  let rounds = 1;
  let milliseconds = await timer.time(steps, run, rounds);
  while (milliseconds < leastMs && rounds < mostRounds) {
    const wanted = Math.ceil((1.2 * rounds * leastMs) / Math.max(milliseconds, 1e-3));
    rounds = Math.min(wanted, 10 * rounds, mostRounds);
    milliseconds = await timer.time(steps, run, rounds);
  }
  const all = [milliseconds];
  while (all.length < runs) all.push(await timer.time(steps, run, rounds));
  return median(all) / rounds;
}

const mostRounds = 10_000;

/** The middle value, the upper one of two; 0 where there is none. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** CPU time of one pass: writing its commands, and handing them over. Medians, in ms. */
export interface EncodeTimes {
  readonly encodeMs: number;
  readonly submitMs: number;
}

/** Times what the CPU does for a pass of these steps. `prepare` is called before each round, outside the time. */
export async function timeEncoding<Run>(
  gpu: Gpu,
  steps: readonly Step<Run>[],
  run: Run,
  { prepare, rounds = 24 }: { readonly prepare: () => void; readonly rounds?: number },
): Promise<EncodeTimes> {
  const encodes: number[] = [];
  const submits: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    prepare();
    const started = performance.now();
    const encoder = gpu.device.createCommandEncoder({ label: "encode times" });
    encodePass(encoder, steps, run, { label: "encode times" });
    const commands = encoder.finish();
    const encoded = performance.now();
    gpu.device.queue.submit([commands]);
    submits.push(performance.now() - encoded);
    encodes.push(encoded - started);
    await flushWrites(gpu);
  }
  return { encodeMs: median(encodes), submitMs: median(submits) };
}
