import { createBufferSet, flushWrites } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { createStaging, type UploadWay } from "../gpu/staging.ts";
import { uploadBlockBytes as blockBytes, lanesTo } from "../model/upload.ts";
import type { CheckpointFiles } from "../weights/types.ts";

/** Rates are of decimal gigabytes, as file sizes are. */
const giga = 1e9;

export interface Rate {
  readonly bytes: number;
  readonly seconds: number;
  readonly gigabytesPerSecond: number;
}

const rate = (bytes: number, startedMs: number): Rate => {
  const seconds = (performance.now() - startedMs) / 1000;
  return { bytes, seconds, gigabytesPerSecond: bytes / giga / seconds };
};

/**
 * How fast a checkpoint can be read alone: every weight file, in the blocks of a load to such a GPU, as many at once.
 */
export async function measureRead(
  files: CheckpointFiles,
  names: readonly string[],
  gpu: Pick<Gpu, "freesMappedMemory">,
): Promise<Rate> {
  const blocks: { name: string; start: number; end: number }[] = [];
  let bytes = 0;
  for (const name of names) {
    const sizeBytes = await files.sizeBytes(name);
    for (let start = 0; start < sizeBytes; start += blockBytes) {
      const end = Math.min(sizeBytes, start + blockBytes);
      blocks.push({ name, start, end });
      bytes += end - start;
    }
  }
  const queue = blocks.values();
  const started = performance.now();
  const lane = async () => {
    const memory = new Uint8Array(blockBytes);
    for (const { name, start, end } of queue) {
      if (files.readInto === undefined) await files.read(name, start, end);
      else await files.readInto(name, start, memory.subarray(0, end - start));
    }
  };
  await Promise.all(Array.from({ length: lanesTo(gpu) }, lane));
  return rate(bytes, started);
}

/** How fast bytes that are in memory already reach GPU buffers, copied block by block as a load does. @throws out-of-memory */
export async function measureUpload(gpu: Gpu, way: UploadWay, totalBytes: number): Promise<Rate> {
  const buffers = createBufferSet(gpu);
  try {
    const target = buffers.storage("upload test", Math.min(buffers.largestStorageBytes, 8 * blockBytes));
    const places = Math.floor(target.size / blockBytes);
    const stagings = Array.from({ length: lanesTo(gpu) }, () => createStaging(gpu, way, blockBytes, buffers));
    await buffers.settled();
    const source = new Uint8Array(blockBytes).map((_, i) => (i * 31) & 255);
    const numBlocks = Math.ceil(totalBytes / blockBytes);
    let next = 0;
    const started = performance.now();
    const lane = async (staging: (typeof stagings)[number]) => {
      for (let block = next++; block < numBlocks; block = next++) {
        const memory = await staging.open(blockBytes);
        memory.set(source);
        staging.close();
        const offsetBytes = (block % places) * blockBytes;
        staging.copy([{ fromBytes: 0, sizeBytes: blockBytes, buffer: target, offsetBytes }]);
      }
    };
    await Promise.all(stagings.map(lane));
    await flushWrites(gpu);
    return rate(numBlocks * blockBytes, started);
  } finally {
    buffers.destroy();
  }
}
