import { open } from "node:fs/promises";
import type { Rate } from "../../src/bench/load-rates.ts";

const pieceBytes = 1024 * 1024;
/** Node reads in 4 threads; as many again wait for one. */
const numAtOnce = 8;

/**
 * How fast Node reads files, whatever is to become of the bytes: into memory that is used again, without a copy. What the
 * engine's own reading is measured against. The second of two rounds counts: the first may wait for the disk.
 */
export async function measurePlainRead(paths: readonly string[]): Promise<Rate> {
  const memories = Array.from({ length: numAtOnce }, () => new Uint8Array(pieceBytes).fill(1));
  await readAll(paths, memories);
  const started = performance.now();
  const bytes = await readAll(paths, memories);
  const seconds = (performance.now() - started) / 1000;
  return { bytes, seconds, gigabytesPerSecond: bytes / 1e9 / seconds };
}

async function readAll(paths: readonly string[], memories: readonly Uint8Array[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    const file = await open(path);
    let next = 0;
    const lane = async (memory: Uint8Array) => {
      for (let isOver = false; !isOver; ) {
        const at = next;
        next += pieceBytes;
        const { bytesRead } = await file.read(memory, 0, pieceBytes, at);
        bytes += bytesRead;
        isOver = bytesRead < pieceBytes;
      }
    };
    await Promise.all(memories.map(lane));
    await file.close();
  }
  return bytes;
}
