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

/** Memory through which one piece after another goes to the GPU. Calls come in the order `open`, `close`, `copy`... */
export interface Staging {
  /**
   * Memory of `sizeBytes` (a multiple of 4), once the GPU has taken the piece before; its contents are stale. It may be a
   * mapped buffer: valid until `close`.
   * @throws device-lost
   */
  open(sizeBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Nothing more is written. */
  close(): void;
  /** Queues copies of what was written, in order with everything else on the queue. */
  copy(copies: readonly StagedCopy[]): void;
}

/** Makes staging memory for pieces of at most `sizeBytes`; a mapped buffer comes from `buffers`, which ends it. */
export function createStaging(gpu: Gpu, way: UploadWay, sizeBytes: number, buffers: BufferSet): Staging {
  return way === "staging" ? mappedStaging(gpu, sizeBytes, buffers) : writeBufferStaging(gpu, sizeBytes);
}

function mappedStaging({ device }: Gpu, sizeBytes: number, buffers: BufferSet): Staging {
  const staging = buffers.staging("staging of weights", sizeBytes);
  return {
    async open(pieceBytes) {
      try {
        // Resolves after the copies that read from it: mapping is what waits for the GPU.
        await staging.mapAsync(GPUMapMode.WRITE, 0, pieceBytes);
        return new Uint8Array(staging.getMappedRange(0, pieceBytes), 0, pieceBytes);
      } catch (cause) {
        throw new EngineError("device-lost", "The GPU went away while data was sent to it.", { cause });
      }
    },
    close: () => staging.unmap(),
    copy(copies) {
      const encoder = device.createCommandEncoder({ label: "upload" });
      for (const { fromBytes, sizeBytes, buffer, offsetBytes } of copies)
        encoder.copyBufferToBuffer(staging, fromBytes, buffer, offsetBytes, sizeBytes);
      device.queue.submit([encoder.finish()]);
    },
  };
}

function writeBufferStaging(gpu: Gpu, sizeBytes: number): Staging {
  const memory = new Uint8Array(sizeBytes);
  let isTaken = true;
  return {
    async open(pieceBytes) {
      if (!isTaken) await flushWrites(gpu); // the queue holds a copy until then
      isTaken = true;
      return memory.subarray(0, pieceBytes);
    },
    close: () => {},
    copy(copies) {
      for (const { fromBytes, sizeBytes, buffer, offsetBytes } of copies)
        gpu.device.queue.writeBuffer(buffer, offsetBytes, memory, fromBytes, sizeBytes);
      isTaken = false;
    },
  };
}
