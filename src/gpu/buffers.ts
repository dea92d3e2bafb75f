import { EngineError } from "../errors.ts";
import type { Gpu } from "./gpu.ts";
import { checkBufferSize, largestBuffer } from "./limits.ts";

/** Buffers with one lifetime. Every buffer is destroyed by `destroy()`, which may be called twice. */
export interface BufferSet {
  /** Bytes of all live buffers. */
  readonly totalBytes: number;
  /** Most bytes of one storage buffer: what the adapter allows. */
  readonly largestStorageBytes: number;
  /**
   * Makes a zeroed storage buffer that can be copied from and to.
   * @throws limit-exceeded at once where it is larger than the adapter binds
   */
  storage(label: string, sizeBytes: number): GPUBuffer;
  /** Makes a buffer that is a uniform for readers and storage for the kernel that advances it. */
  uniform(label: string, sizeBytes: number): GPUBuffer;
  /** Makes a buffer to be copied into and mapped for reading. */
  readback(label: string, sizeBytes: number): GPUBuffer;
  /** Makes a buffer that queries are resolved into. */
  queryResults(label: string, sizeBytes: number): GPUBuffer;
  /** Makes a buffer to be mapped for writing and copied from. */
  staging(label: string, sizeBytes: number): GPUBuffer;
  /** Waits until the GPU has accepted every buffer made so far. @throws out-of-memory */
  settled(): Promise<void>;
  destroy(): void;
}

/** `sizeBytes` rounded up to a multiple of 4, as copies and bindings need. */
export const roundUp4 = (sizeBytes: number): number => Math.ceil(sizeBytes / 4) * 4;

export function createBufferSet(gpu: Gpu): BufferSet {
  const { device } = gpu;
  const buffers: GPUBuffer[] = [];
  const pending: Promise<EngineError | undefined>[] = [];
  let totalBytes = 0;

  function make(label: string, sizeBytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = Math.max(4, roundUp4(sizeBytes));
    checkBufferSize(device.limits, label, {
      sizeBytes: size,
      isStorage: (usage & GPUBufferUsage.STORAGE) !== 0,
    });
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    const buffer = device.createBuffer({ label, size, usage });
    pending.push(allocationOutcome(device.popErrorScope(), device.popErrorScope(), label, size));
    buffers.push(buffer);
    totalBytes += size;
    return buffer;
  }

  return {
    get totalBytes() {
      return totalBytes;
    },
    largestStorageBytes: largestBuffer(device.limits, true),
    storage: (label, sizeBytes) =>
      make(label, sizeBytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST),
    uniform: (label, sizeBytes) =>
      make(
        label,
        Math.ceil(sizeBytes / 16) * 16,
        GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      ),
    readback: (label, sizeBytes) => make(label, sizeBytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
    queryResults: (label, sizeBytes) =>
      make(label, sizeBytes, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC),
    staging: (label, sizeBytes) => make(label, sizeBytes, GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC),
    async settled() {
      const outcomes = await Promise.all(pending.splice(0));
      const failed = outcomes.find((outcome) => outcome !== undefined);
      if (failed !== undefined) throw failed;
    },
    destroy() {
      for (const buffer of buffers.splice(0)) buffer.destroy();
      totalBytes = 0;
    },
  };
}

async function allocationOutcome(
  memory: Promise<GPUError | null>,
  validation: Promise<GPUError | null>,
  label: string,
  sizeBytes: number,
): Promise<EngineError | undefined> {
  try {
    const error = (await memory) ?? (await validation);
    if (error === null) return undefined;
    return new EngineError(
      "out-of-memory",
      `The GPU has no room for ${label} (${sizeBytes} bytes): ${error.message}`,
      { details: { buffer: label, neededBytes: sizeBytes } },
    );
  } catch (cause) {
    return new EngineError("device-lost", `The GPU went away while ${label} was made.`, { cause });
  }
}

/** Sends what `queue.writeBuffer` holds and waits until the GPU has taken it: bounds its staging memory. @throws device-lost */
export async function flushWrites(gpu: Gpu): Promise<void> {
  gpu.device.queue.submit([]);
  try {
    await gpu.device.queue.onSubmittedWorkDone();
  } catch (cause) {
    throw new EngineError("device-lost", "The GPU went away while data was sent to it.", { cause });
  }
}

/** Reads a range of a buffer back. Offsets and sizes are multiples of 4. @throws device-lost */
export async function readBuffer(
  gpu: Gpu,
  buffer: GPUBuffer,
  offsetBytes = 0,
  sizeBytes = buffer.size - offsetBytes,
): Promise<ArrayBuffer> {
  const staging = gpu.device.createBuffer({
    label: "readback",
    size: sizeBytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = gpu.device.createCommandEncoder({ label: "readback" });
  encoder.copyBufferToBuffer(buffer, offsetBytes, staging, 0, sizeBytes);
  gpu.device.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(GPUMapMode.READ);
    return staging.getMappedRange().slice(0);
  } catch (cause) {
    throw new EngineError("device-lost", "The GPU went away while results were read back.", { cause });
  } finally {
    staging.destroy();
  }
}
