import { isEngineError } from "../errors.ts";
import { type BufferSet, createBufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { composeKernel } from "../gpu/kernel.ts";
import { largestBuffer } from "../gpu/limits.ts";
import { bind } from "../gpu/pipelines.ts";
import { submit } from "../gpu/steps.ts";
import { createGpuTimer, type GpuTimer, timeRound } from "../gpu/time-steps.ts";
import { fmaRate, fmaRateGrid, fmaRateGroupSize, fmaRateOperations } from "../kernels/bench/fma-rate.ts";
import { readBandwidth, readBandwidthGrid, readBandwidthGroupSize } from "../kernels/bench/read-bandwidth.ts";

/** How fast this adapter reads memory and computes: the ceilings of decoding, which reads, and of prompts, which compute. */
export interface Ceiling {
  readonly bytesPerSecond: number;
  /** Of f32 multiplications and additions. Matrix units, where kernels use them, go beyond it. */
  readonly operationsPerSecond: number;
  /** Size of the buffer that was read; larger than the caches of today's GPUs where it is 1 GiB. */
  readonly bufferBytes: number;
  readonly method: GpuTimer["method"];
}

const mib = 1024 * 1024;
const wantedBytes = 1024 * mib;
const leastBytes = 64 * mib;
/** A CPU adapter would need seconds for a gigabyte, and its figure says nothing about a GPU. */
const softwareBytes = 16 * mib;
const patternBytes = 4 * mib;
/** Workgroups tried: few keep long strides in flight, many balance better. The fastest counts. */
const gridsTried = [1024, 4096, 16384];
const softwareGrids = [16];

/** Measures both ceilings, each with a kernel that does nothing else. @throws out-of-memory where not even 64 MiB are free */
export async function measureCeiling(gpu: Gpu): Promise<Ceiling> {
  return { ...(await measureReads(gpu)), operationsPerSecond: await measureArithmetic(gpu) };
}

type ReadRate = Omit<Ceiling, "operationsPerSecond">;

/** The read bandwidth, over a buffer of 1 GiB or what the adapter allows. */
async function measureReads(gpu: Gpu): Promise<ReadRate> {
  const most = largestBuffer(gpu.device.limits, true);
  let bufferBytes = gpu.adapter.isSoftware ? softwareBytes : Math.min(wantedBytes, most);
  bufferBytes -= bufferBytes % patternBytes;
  for (;;) {
    const buffers = createBufferSet(gpu);
    try {
      return await measure(gpu, buffers, bufferBytes);
    } catch (error) {
      if (!isEngineError(error, "out-of-memory") || bufferBytes <= leastBytes) throw error;
      bufferBytes = Math.max(leastBytes, Math.floor(bufferBytes / 2 / patternBytes) * patternBytes);
    } finally {
      buffers.destroy();
    }
  }
}

async function measure(gpu: Gpu, buffers: BufferSet, bufferBytes: number): Promise<ReadRate> {
  const numVecs = bufferBytes / 16;
  const data = buffers.storage("bandwidth data", bufferBytes);
  const grids = gpu.adapter.isSoftware ? softwareGrids : gridsTried;
  const sums = buffers.storage("bandwidth sums", Math.max(...grids) * readBandwidthGroupSize * 16);
  const pattern = buffers.storage("bandwidth pattern", patternBytes);
  await buffers.settled();
  gpu.device.queue.writeBuffer(pattern, 0, randomWords(patternBytes / 4));
  submit(gpu, "bandwidth data", (encoder) => {
    for (let at = 0; at < bufferBytes; at += patternBytes)
      encoder.copyBufferToBuffer(pattern, 0, data, at, patternBytes);
  });
  const pipeline = await gpu.pipelines.compile(
    composeKernel(readBandwidth, { numVecs }, { variant: gpu.variant }),
  );
  const bindGroup = bind(gpu, pipeline, { data, sums });
  const timer = createGpuTimer(gpu);
  try {
    const timing = gpu.adapter.isSoftware ? { leastMs: 0, runs: 1 } : { leastMs: 20, runs: 5 };
    let best = Number.POSITIVE_INFINITY;
    for (const numGroups of grids) {
      const step = { pipeline, bindGroup, grid: () => readBandwidthGrid(numGroups) };
      best = Math.min(best, await timeRound(timer, [step], undefined, timing));
    }
    return { bytesPerSecond: (bufferBytes / best) * 1000, bufferBytes, method: timer.method };
  } finally {
    timer.destroy();
  }
}

/** Groups and rounds: some milliseconds of work for a large GPU; repeated where that is too little. */
const arithmeticSize = { numGroups: 4096, numRounds: 512 };
const softwareArithmeticSize = { numGroups: 16, numRounds: 64 };

async function measureArithmetic(gpu: Gpu): Promise<number> {
  const { isSoftware } = gpu.adapter;
  const { numGroups, numRounds } = isSoftware ? softwareArithmeticSize : arithmeticSize;
  const buffers = createBufferSet(gpu);
  const timer = createGpuTimer(gpu);
  try {
    const input = buffers.storage("arithmetic input", 32);
    const out = buffers.storage("arithmetic output", numGroups * fmaRateGroupSize * 16);
    await buffers.settled();
    gpu.device.queue.writeBuffer(input, 0, Float32Array.of(0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1)); // stays finite
    const pipeline = await gpu.pipelines.compile(
      composeKernel(fmaRate, { numRounds }, { variant: gpu.variant }),
    );
    const bindGroup = bind(gpu, pipeline, { input, out });
    const step = { pipeline, bindGroup, grid: () => fmaRateGrid(numGroups) };
    const timing = isSoftware ? { leastMs: 0, runs: 1 } : { leastMs: 20, runs: 5 };
    const milliseconds = await timeRound(timer, [step], undefined, timing);
    const operations = numGroups * fmaRateGroupSize * numRounds * fmaRateOperations;
    return (operations / milliseconds) * 1000;
  } finally {
    timer.destroy();
    buffers.destroy();
  }
}

/** Random words, so that no memory compression helps (xorshift). */
function randomWords(count: number): Uint32Array<ArrayBuffer> {
  let state = 0x9e3779b9;
  return new Uint32Array(count).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  });
}
