import { EngineError } from "../errors.ts";
import { type BufferSet, flushWrites } from "./buffers.ts";
import type { Gpu } from "./gpu.ts";

/**
 * How bytes reach the GPU: through a buffer that is mapped, written and copied on the GPU, or through
 * `queue.writeBuffer`, which has staging of its own.
 */
export type UploadWay = "staging" | "write-buffer";

/** A part of the staging memory, and where it goes. All numbers are multiples of 4. */
export interface StagedCopy {
  readonly fromBytes: number;
  readonly sizeBytes: number;
  readonly buffer: GPUBuffer;
  readonly offsetBytes: number;
}

/** Memory through which one piece after another goes to the GPU. Calls come in the order `open`, `close`, `copy`, or `fill`, `copy`. */
export interface Staging {
  /**
   * Memory of `sizeBytes` (a multiple of 4), once the GPU has taken the piece before; its contents are stale. It may be a
   * mapped buffer: it is written and closed before anything else is waited for, since it may go away with the device.
   * @throws device-lost
   */
  open(sizeBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Nothing more is written. */
  close(): void;
  /**
   * Lets `write`, which may take its time, fill such memory. Where the device would take it away meanwhile, that is memory
   * of its own, copied afterwards.
   * @throws device-lost and what `write` throws
   */
  fill(sizeBytes: number, write: (memory: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void>;
  /** Queues copies of what was written, in order with everything else on the queue. */
  copy(copies: readonly StagedCopy[]): void;
}

/** Makes staging memory for pieces of at most `sizeBytes`; a mapped buffer comes from `buffers`, which ends it. */
export function createStaging(gpu: Gpu, way: UploadWay, sizeBytes: number, buffers: BufferSet): Staging {
  return way === "staging" ? mappedStaging(gpu, sizeBytes, buffers) : writeBufferStaging(gpu, sizeBytes);
}

function mappedStaging(gpu: Gpu, sizeBytes: number, buffers: BufferSet): Staging {
  const staging = buffers.staging("staging of weights", sizeBytes);
  /** Filled instead of mapped memory, where that may vanish under whoever writes to it. */
  const own = gpu.freesMappedMemory ? new Uint8Array(sizeBytes) : undefined;

  async function open(pieceBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      // Resolves after the copies that read from it: mapping is what waits for the GPU.
      await staging.mapAsync(GPUMapMode.WRITE, 0, pieceBytes);
      return new Uint8Array(staging.getMappedRange(0, pieceBytes), 0, pieceBytes);
    } catch (cause) {
      throw lost("data was sent to it", cause);
    }
  }

  return {
    open,
    close: () => staging.unmap(),
    async fill(pieceBytes, write) {
      if (own === undefined) {
        await orLost(write, await open(pieceBytes));
      } else {
        const filled = own.subarray(0, pieceBytes);
        await write(filled);
        (await open(pieceBytes)).set(filled);
      }
      staging.unmap();
    },
    copy(copies) {
      const encoder = gpu.device.createCommandEncoder({ label: "upload" });
      for (const { fromBytes, sizeBytes, buffer, offsetBytes } of copies)
        encoder.copyBufferToBuffer(staging, fromBytes, buffer, offsetBytes, sizeBytes);
      gpu.device.queue.submit([encoder.finish()]);
    },
  };
}

/** Writes to mapped memory. Browsers detach it where the device goes away: then that is the error, whatever the writer made of it. */
async function orLost<T extends Uint8Array>(write: (memory: T) => Promise<void>, memory: T): Promise<void> {
  const sizeBytes = memory.byteLength;
  try {
    await write(memory);
  } catch (cause) {
    if (memory.byteLength === sizeBytes) throw cause;
    throw lost("data was written for it", cause);
  }
}

const lost = (when: string, cause: unknown) =>
  new EngineError("device-lost", `The GPU went away while ${when}.`, { cause });

function writeBufferStaging(gpu: Gpu, sizeBytes: number): Staging {
  const memory = new Uint8Array(sizeBytes);
  let isTaken = true;

  async function open(pieceBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!isTaken) await flushWrites(gpu); // the queue holds a copy until then
    isTaken = true;
    return memory.subarray(0, pieceBytes);
  }

  return {
    open,
    close: () => {},
    fill: async (pieceBytes, write) => write(await open(pieceBytes)),
    copy(copies) {
      for (const { fromBytes, sizeBytes, buffer, offsetBytes } of copies)
        gpu.device.queue.writeBuffer(buffer, offsetBytes, memory, fromBytes, sizeBytes);
      isTaken = false;
    },
  };
}
