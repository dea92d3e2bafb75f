import { EngineError } from "../errors.ts";
import type { BufferSet } from "../gpu/buffers.ts";
import { sampleResultBytes } from "../kernels/sample/sample-advance.ts";

/** What a decode step reports. */
export interface SampledToken {
  readonly token: number;
  /** True where the token is a stop token. */
  readonly stopped: boolean;
}

/** Slots into which decode steps copy their result, read in the order they were filled. */
export interface ReadbackRing {
  readonly capacity: number;
  /** Encodes the copy of a step's result into the next free slot. Call `arm` after the submit. */
  encodeCopy(encoder: GPUCommandEncoder, result: GPUBuffer): void;
  /** Starts mapping the slot just filled and returns its value to come. @throws device-lost */
  arm(): Promise<SampledToken>;
}

/** Makes `capacity` slots; at most that many results may be under way. */
export function createReadbackRing(buffers: BufferSet, capacity: number): ReadbackRing {
  const slots = Array.from({ length: capacity }, (_, i) =>
    buffers.readback(`token readback ${i}`, sampleResultBytes),
  );
  let filled = 0;
  const slot = (index: number): GPUBuffer => {
    const buffer = slots[index % capacity];
    if (buffer === undefined || buffer.mapState !== "unmapped")
      throw new EngineError("internal", "More decode steps are under way than there are readback slots.");
    return buffer;
  };
  return {
    capacity,
    encodeCopy(encoder, result) {
      encoder.copyBufferToBuffer(result, 0, slot(filled), 0, sampleResultBytes);
    },
    async arm() {
      const buffer = slot(filled);
      filled += 1;
      try {
        await buffer.mapAsync(GPUMapMode.READ);
      } catch (cause) {
        throw new EngineError(
          "device-lost",
          "The GPU went away while a token was made. Load the model again.",
          { cause },
        );
      }
      const words = new Uint32Array(buffer.getMappedRange());
      const sampled = { token: words[0] ?? 0, stopped: words[1] === 1 };
      buffer.unmap();
      return sampled;
    },
  };
}
