import { EngineError, throwIfAborted } from "../errors.ts";
import { createBufferSet, flushWrites, roundUp4 } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { createStaging, type Staging, type UploadWay } from "../gpu/staging.ts";
import { int8GroupSize, int8GroupsBefore } from "../kernels/linear/dense.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";
import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { createQuantizer, type Quantizer } from "./quantizer.ts";
import { transposeBf16 } from "./transpose-bf16.ts";
import { type Block, planBlocks, type Segment, stagingSlackBytes } from "./upload-blocks.ts";
import type { TensorPlacement } from "./weights.ts";

/** Most bytes read at once, but for a matrix that is transposed; the size of a stored chunk. */
export const uploadBlockBytes = 16 * 1024 * 1024;
/** Most blocks on their way at once: while some are read, others are copied and taken by the GPU. */
const mostLanes = 6;
/** Where each also has memory of its own to be read into, more of them leave the CPU's caches (docs/decisions/0009 has figures). */
const mostLanesWithMemory = 4;
/** The most blocks that a load to this GPU has on their way. */
export const lanesTo = ({ freesMappedMemory }: Pick<Gpu, "freesMappedMemory">): number =>
  freesMappedMemory ? mostLanesWithMemory : mostLanes;
/** Bytes on the JS heap at once: what cannot be read right into the staging memory. */
const heapBytes = 160 * 1024 * 1024;
/** Fewer copies, see docs/decisions/0009-staged-uploads.md. */
const defaultWay: UploadWay = "staging";

export interface UploadOptions {
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default staging. */
  readonly way?: UploadWay | undefined;
}

/** Where the time of a load went. */
export interface LoadStats {
  readonly bytes: number;
  /** From the first read to the GPU's last copy. */
  readonly seconds: number;
  readonly gigabytesPerSecond: number;
  /** Seconds that a lane waited for the checkpoint, on average; reading into the staging memory counts. */
  readonly readWaitSeconds: number;
  /** Seconds that a lane waited for the GPU to take what was before, on average. */
  readonly uploadWaitSeconds: number;
  /** Blocks on their way at once. */
  readonly lanes: number;
  readonly way: UploadWay;
}

/**
 * Streams tensors from a checkpoint into their buffers, in blocks in the order they lie in the files, several at once;
 * what is to be int8 is quantised on the way.
 * @throws out-of-memory | aborted | device-lost, and what the checkpoint's `read` throws
 */
export async function uploadWeights(
  gpu: Gpu,
  files: CheckpointFiles,
  placements: readonly TensorPlacement[],
  { onProgress, signal, way = defaultWay }: UploadOptions = {},
): Promise<LoadStats> {
  const blocks = planBlocks(placements, uploadBlockBytes);
  const totalBytes = blocks.reduce((sum, block) => sum + block.endBytes - block.startBytes, 0);
  const numLanes = Math.min(lanesTo(gpu), blocks.length);
  const buffers = createBufferSet(gpu);
  const needsInt8 = placements.some(({ int8 }) => int8 !== undefined);
  const quantizer = needsInt8 ? await createQuantizer(gpu, mostStagedBytes) : undefined;
  const stop = new AbortController();
  const started = performance.now();
  const lane: Lane = {
    files,
    signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    heap: createByteBudget(heapBytes),
    waits: { readMs: 0, uploadMs: 0 },
    quantizer,
  };
  let loadedBytes = 0;
  const queue = blocks.values();
  const run = async (staging: Staging) => {
    for (const block of queue) {
      throwIfAborted(lane.signal);
      await sendBlock(block, staging, lane);
      loadedBytes += block.endBytes - block.startBytes;
      onProgress?.({ phase: "load", loadedBytes, totalBytes, file: block.file });
    }
  };
  try {
    const stagedBytes = Math.max(0, ...blocks.map((block) => Math.min(block.stagedBytes, mostStagedBytes)));
    const stagings = Array.from({ length: numLanes }, () => createStaging(gpu, way, stagedBytes, buffers));
    await buffers.settled();
    await allOrFirstError(stagings.map(run), () => stop.abort());
    if (numLanes > 0) await flushWrites(gpu);
  } finally {
    quantizer?.destroy();
    buffers.destroy();
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    bytes: totalBytes,
    seconds,
    gigabytesPerSecond: seconds === 0 ? 0 : totalBytes / 1e9 / seconds,
    readWaitSeconds: lane.waits.readMs / 1000 / Math.max(1, numLanes),
    uploadWaitSeconds: lane.waits.uploadMs / 1000 / Math.max(1, numLanes),
    lanes: numLanes,
    way,
  };
}

const mostStagedBytes = uploadBlockBytes + stagingSlackBytes;

/** What the lanes of one load share. */
interface Lane {
  readonly files: CheckpointFiles;
  readonly signal: AbortSignal;
  readonly heap: ByteBudget;
  readonly waits: { readMs: number; uploadMs: number };
  readonly quantizer: Quantizer | undefined;
}

/**
 * Waits for all; the first in time to fail ends the others, and is what is thrown: those fail by its abort, wherever they
 * stand in the list. (`settled` in trials.ts is for tasks that know nothing of each other, and goes by their order.)
 */
async function allOrFirstError(tasks: readonly Promise<void>[], onError: () => void): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    tasks.map((task) =>
      task.catch((error: unknown) => {
        failure ??= { error };
        onError();
      }),
    ),
  );
  if (failure !== undefined) throw failure.error;
}

async function sendBlock(block: Block, staging: Staging, lane: Lane): Promise<void> {
  const { files, signal } = lane;
  if (block.isDirect && files.readInto !== undefined) {
    const { readInto } = files;
    let readMs = 0;
    const filling = staging.fill(block.stagedBytes, async (memory) => {
      const started = performance.now();
      await readInto(block.file, block.startBytes, memory, signal);
      readMs = performance.now() - started;
    });
    await timed(lane, "uploadMs", filling);
    lane.waits.readMs += readMs;
    lane.waits.uploadMs -= readMs;
    sendSegments(block.segments, staging, lane);
    return;
  }
  const transpose = block.segments[0]?.placement.transpose;
  const sizeBytes = block.endBytes - block.startBytes;
  const giveBack = await lane.heap.take(transpose === undefined ? sizeBytes : 2 * sizeBytes);
  try {
    const reading = files.read(block.file, block.startBytes, block.endBytes, signal);
    const bytes = await timed(lane, "readMs", reading);
    if (transpose === undefined) await sendMoved(block, bytes, staging, lane);
    else await sendTransposed(block, transposeBf16(bytes, transpose.rows, transpose.columns), staging, lane);
  } finally {
    giveBack();
  }
}

/** Each segment moved to a multiple of 4, its end filled up with zeros. */
async function sendMoved(block: Block, bytes: Uint8Array, staging: Staging, lane: Lane): Promise<void> {
  throwIfAborted(lane.signal);
  const memory = await timed(lane, "uploadMs", staging.open(block.stagedBytes));
  for (const { placement, startBytes, endBytes, stagedBytes } of block.segments) {
    const from = placement.tensor.startBytes + startBytes - block.startBytes;
    const sizeBytes = endBytes - startBytes;
    memory.set(bytes.subarray(from, from + sizeBytes), stagedBytes);
    memory.fill(0, stagedBytes + sizeBytes, stagedBytes + roundUp4(sizeBytes));
  }
  staging.close();
  sendSegments(block.segments, staging, lane);
}

/** A transposed matrix, which may be larger than the staging memory. */
async function sendTransposed(block: Block, matrix: Uint8Array, staging: Staging, lane: Lane): Promise<void> {
  const [segment] = block.segments;
  if (segment === undefined) throw new EngineError("internal", "A block of weights is empty.");
  const { buffer, offsetBytes } = segment.placement;
  for (let at = 0; at < matrix.byteLength; at += mostStagedBytes) {
    throwIfAborted(lane.signal);
    const piece = matrix.subarray(at, at + mostStagedBytes);
    const sizeBytes = roundUp4(piece.byteLength);
    const memory = await timed(lane, "uploadMs", staging.open(sizeBytes));
    memory.set(piece);
    memory.fill(0, piece.byteLength);
    staging.close();
    staging.copy([{ fromBytes: 0, sizeBytes, buffer, offsetBytes: offsetBytes + segment.startBytes + at }]);
  }
}

/** Queues the copies of what is staged; what is to be int8 goes through the quantiser. */
function sendSegments(segments: readonly Segment[], staging: Staging, { quantizer }: Lane): void {
  const plain = segments.filter(({ placement }) => placement.int8 === undefined);
  const copies = plain.map(({ placement: { buffer, offsetBytes }, ...segment }) => ({
    ...stagedRange(segment),
    buffer,
    offsetBytes: offsetBytes + segment.startBytes,
  }));
  if (copies.length > 0) staging.copy(copies);
  for (const { placement, ...segment } of segments) {
    const { buffer, offsetBytes, int8 } = placement;
    if (int8 === undefined) continue;
    if (quantizer === undefined)
      throw new EngineError("internal", "Weights are to be int8 without a quantiser.");
    staging.copy([{ ...stagedRange(segment), buffer: quantizer.weights, offsetBytes: 0 }]);
    const before = int8GroupsBefore(int8.columns, segment.startBytes / 2);
    const numGroups = int8GroupsBefore(int8.columns, segment.endBytes / 2) - before;
    quantizer.run({ buffer, ...int8, firstGroup: offsetBytes / int8GroupSize + before, numGroups });
  }
}

const stagedRange = ({ startBytes, endBytes, stagedBytes }: Omit<Segment, "placement">) => ({
  fromBytes: stagedBytes,
  sizeBytes: roundUp4(endBytes - startBytes),
});

async function timed<T>({ waits }: Lane, what: keyof Lane["waits"], waiting: Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await waiting;
  } finally {
    waits[what] += performance.now() - started;
  }
}
