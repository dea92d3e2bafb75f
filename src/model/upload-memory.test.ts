// How many bytes of weights are alive at once while a model is loaded, counted where they are made and given up.
import { expect, it } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { uploadWeights } from "./upload.ts";
import type { TensorPlacement } from "./weights.ts";

const mib = 1024 * 1024;

/** Room for three pieces, a transposed copy and what waits in the queue, also with experts of 33 MB. */
const allowedBytes = 256 * mib;

/**
 * A checkpoint and a queue that count: a piece lives from its read until the write after its own has begun (it is still
 * in a variable until then), a transposed copy during its write, and the queue's copy until the GPU was waited for.
 */
function countingMachine() {
  let peakBytes = 0;
  let writtenBytes = 0;
  let stagedBytes = 0;
  /** Pieces read and not given up: the oldest is the one that is written next. */
  const pieces: Uint8Array[] = [];
  const note = (extraBytes = 0) => {
    const heldBytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    peakBytes = Math.max(peakBytes, heldBytes + stagedBytes + extraBytes);
  };
  const files: CheckpointFiles = {
    id: "counting",
    readText: async () => undefined,
    sizeBytes: async () => 0,
    async read(_name, startBytes, endBytes) {
      const piece = new Uint8Array(endBytes - startBytes);
      pieces.push(piece);
      note();
      return piece;
    },
  };
  let previous: Uint8Array | undefined;
  const queue = {
    writeBuffer(_buffer: GPUBuffer, _offsetBytes: number, data: Uint8Array) {
      if (previous !== undefined) pieces.splice(pieces.indexOf(previous), 1);
      previous = pieces[0];
      stagedBytes += data.byteLength;
      writtenBytes += data.byteLength;
      note(data.buffer === previous?.buffer ? 0 : data.byteLength);
    },
    submit: () => {},
    async onSubmittedWorkDone() {
      stagedBytes = 0;
    },
  };
  return {
    files,
    gpu: { device: { queue } } as unknown as Gpu,
    peakBytes: () => peakBytes,
    writtenBytes: () => writtenBytes,
  };
}

const placement = (sizeBytes: number, transpose?: TensorPlacement["transpose"]): TensorPlacement => ({
  tensor: { name: "weights", file: "a", startBytes: 0, endBytes: sizeBytes },
  buffer: {} as GPUBuffer,
  offsetBytes: 0,
  transpose,
});

it.each<[string, TensorPlacement]>([
  ["the embedding of 20b", placement(201_088 * 2880 * 2)],
  [
    "experts of 20b in bf16, transposed one by one",
    placement(12 * 2880 * 5760 * 2, { count: 12, rows: 2880, columns: 5760 }),
  ],
])("at most 256 MiB live while %s are loaded", async (_, tensor) => {
  const machine = countingMachine();
  const sizeBytes = tensor.tensor.endBytes;
  await uploadWeights(machine.gpu, machine.files, [tensor]);
  expect(machine.writtenBytes()).toBe(sizeBytes);
  expect(sizeBytes, "the tensor alone would break the bound").toBeGreaterThan(allowedBytes);
  expect(machine.peakBytes()).toBeLessThanOrEqual(allowedBytes);
  expect(machine.peakBytes(), "one piece is read ahead of the one that is written").toBeGreaterThan(32 * mib);
});
