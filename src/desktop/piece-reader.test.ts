import { expect, it } from "vitest";
import { createPieceReader, type FileRange, type ReadableFile } from "./piece-reader.ts";

const sizeBytes = 1000;
const contents = new Uint8Array(sizeBytes).map((_, i) => (i * 37 + (i >> 8)) & 255);
const wanted = (startBytes: number, length: number) => [
  ...contents.subarray(startBytes, startBytes + length),
];

/** A file whose reads end when they are let; notes which memory they go into and how many are under way at once. */
function slowFile({ mostBytes = sizeBytes } = {}) {
  const memories = new Set<ArrayBufferLike>();
  const waiting: (() => void)[] = [];
  const positions: number[] = [];
  let most = 0;
  const file: ReadableFile = {
    async read(memory, offsetBytes, numBytes, position) {
      memories.add(memory.buffer);
      positions.push(position);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        most = Math.max(most, waiting.length);
      });
      const part = contents.subarray(position, position + Math.min(numBytes, mostBytes));
      memory.set(part, offsetBytes);
      return { bytesRead: part.byteLength };
    },
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    memories,
    positions,
    waiting,
    most: () => most,
    range: (startBytes: number, length: number): FileRange => ({
      file,
      startBytes,
      endBytes: startBytes + length,
      endsEarly: async () => new Error("ends"),
    }),
    /** Ends one read after the other, the last begun first, until none is left. */
    async drain() {
      for (await turn(); waiting.length > 0; await turn()) waiting.pop()?.();
    },
  };
}

it.each([
  ["whole pieces", 0, 64],
  ["a range that starts and ends anywhere", 7, 333],
  ["less than a piece", 990, 10],
  ["one byte", 999, 1],
  ["nothing", 5, 0],
])("fills a target with %s, whatever order the pieces come in", async (_, startBytes, length) => {
  const file = slowFile();
  const target = new Uint8Array(length + 2).fill(0xee);
  const read = createPieceReader({ pieceBytes: 16, numPieces: 3 });
  await Promise.all([read(file.range(startBytes, length), target.subarray(1, length + 1)), file.drain()]);
  expect([...target]).toEqual([0xee, ...wanted(startBytes, length), 0xee]);
});

it("reads on where the file gives fewer bytes than were asked for", async () => {
  const file = slowFile({ mostBytes: 5 });
  const target = new Uint8Array(40);
  await Promise.all([createPieceReader({ pieceBytes: 16 })(file.range(3, 40), target), file.drain()]);
  expect([...target]).toEqual(wanted(3, 40));
});

it("serves several calls one after the other, in no more memory than its pieces, several read at once", async () => {
  const file = slowFile();
  const read = createPieceReader({ pieceBytes: 16, numPieces: 4 });
  const targets = [0, 100, 200, 300].map((startBytes) => ({ startBytes, target: new Uint8Array(90) }));
  const reads = targets.map(({ startBytes, target }) => read(file.range(startBytes, 90), target));
  await Promise.all([...reads, file.drain()]);
  for (const { startBytes, target } of targets) expect([...target]).toEqual(wanted(startBytes, 90));
  expect(file.memories.size).toBe(4);
  expect(file.most()).toBe(4);
  expect(file.positions).toEqual([...file.positions].sort((a, b) => a - b));
});

it("stops at an abort, once the reads under way have ended, and leaves the target alone", async () => {
  const file = slowFile();
  const abort = new AbortController();
  const read = createPieceReader({ pieceBytes: 16, numPieces: 2 });
  const target = new Uint8Array(160);
  const reading = read(file.range(0, 160), target, abort.signal);
  const outcome = expect(reading).rejects.toMatchObject({ code: "aborted" });
  abort.abort();
  let isOver = false;
  reading.catch(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect([isOver, file.waiting.length]).toEqual([false, 2]);
  await Promise.all([outcome, file.drain()]);
  expect(file.positions).toEqual([0, 16]);
  expect(target.every((byte) => byte === 0)).toBe(true);

  const next = new Uint8Array(100);
  await Promise.all([read(file.range(9, 100), next), file.drain()]);
  expect([...next], "its pieces are free again").toEqual(wanted(9, 100));
  expect(file.memories.size).toBe(2);
});

it("a target whose memory is taken away meanwhile fails the call, and no other", async () => {
  const file = slowFile();
  const read = createPieceReader({ pieceBytes: 16, numPieces: 2 });
  const gone = new Uint8Array(64);
  const stays = new Uint8Array(64);
  const outcomes = Promise.allSettled([read(file.range(0, 64), gone), read(file.range(64, 64), stays)]);
  const before = new Uint8Array(64);
  structuredClone(before.buffer, { transfer: [before.buffer] });
  const late = expect(read(file.range(128, 64), before)).rejects.toThrow(TypeError);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await Promise.all([late, file.drain()]);
  expect(await outcomes).toMatchObject([
    { status: "rejected", reason: expect.any(TypeError) },
    { status: "fulfilled" },
  ]);
  expect([...stays]).toEqual(wanted(64, 64));
});

it("says that the file ends, with what the caller makes of it", async () => {
  const file = slowFile();
  const reading = createPieceReader({ pieceBytes: 16 })(file.range(950, 64), new Uint8Array(64));
  await Promise.all([expect(reading).rejects.toThrow("ends"), file.drain()]);
});
