import { type BufferSet, roundUp4 } from "./buffers.ts";
import { type BufferLimits, checkBufferSize, largestBuffer } from "./limits.ts";

/**
 * A buffer set that makes no buffers, but counts their bytes and refuses what a real one would refuse: laying a model
 * out in it tells, before anything is downloaded or allocated, whether the adapter takes it. The buffers that it
 * returns stand for themselves only.
 */
export function createDryBufferSet(limits: BufferLimits): BufferSet {
  let totalBytes = 0;
  const note = (isStorage: boolean) => (label: string, sizeBytes: number) => {
    const size = Math.max(4, roundUp4(sizeBytes));
    checkBufferSize(limits, label, { sizeBytes: size, isStorage });
    totalBytes += size;
    return { label, size } as GPUBuffer;
  };
  return {
    get totalBytes() {
      return totalBytes;
    },
    largestStorageBytes: largestBuffer(limits, true),
    storage: note(true),
    uniform: note(true),
    readback: note(false),
    queryResults: note(false),
    staging: note(false),
    settled: async () => {},
    destroy: () => {
      totalBytes = 0;
    },
  };
}
