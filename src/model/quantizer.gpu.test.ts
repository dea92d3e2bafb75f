// Dense weights become int8 while they are uploaded: more than one piece, more than one tensor, no memory kept.
import { expect, it } from "vitest";
import { createBufferSet, readBuffer } from "../gpu/buffers.ts";
import { openGpu } from "../gpu/gpu.ts";
import { int8GroupsBefore, int8Layout } from "../kernels/linear/dense.ts";
import { quantizeInt8Reference } from "../kernels/linear/quantize-int8.reference.ts";
import { openCountedGpu } from "../testing/counted-gpu.ts";
import { randomBf16 } from "../testing/data.ts";
import { packInt8 } from "../testing/dense.ts";
import { testGpu } from "../testing/gpu-device.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { createQuantizer } from "./quantizer.ts";
import { uploadWeights } from "./upload.ts";

const pieceWeights = (16 * 1024 * 1024) / 2;

const matrices = [
  { name: "whole groups", columns: 320 },
  { name: "an odd number of blocks a row", columns: 160 },
];

it.each(matrices)("quantises tensors of more than one piece into one matrix: $name", async ({ columns }) => {
  const gpu = await testGpu();
  const [first, second] = [Math.ceil(pieceWeights / columns + 5) * columns, columns];
  // A pattern whose length divides no piece; both tensors lie in one file, the second one first.
  const pattern = randomBf16(32 * 1001, 1, 0.02);
  const weightAt = (i: number) => i % pattern.bits.length;
  const fileWords = Uint16Array.from({ length: first + second }, (_, i) => pattern.bits[weightAt(i)] ?? 0);
  const files: CheckpointFiles = {
    id: "test",
    readText: async () => undefined,
    sizeBytes: async () => fileWords.byteLength,
    read: async (_, startBytes, endBytes) => new Uint8Array(fileWords.buffer).slice(startBytes, endBytes),
  };
  const { scalesAtBytes, sizeBytes } = int8Layout((first + second) / columns, columns);
  const buffers = createBufferSet(gpu);
  const buffer = buffers.storage("matrix", sizeBytes);
  const tensor = (startBytes: number, endBytes: number) => ({ name: "t", file: "a", startBytes, endBytes });
  const into = (offsetBytes: number) => ({
    buffer,
    offsetBytes,
    transpose: undefined,
    int8: { columns, scalesAtBytes },
  });
  await uploadWeights(gpu, files, [
    { tensor: tensor(2 * second, 2 * (first + second)), ...into(0) },
    { tensor: tensor(0, 2 * second), ...into(int8GroupsBefore(columns, first) * 64) },
  ]);
  const got = new Uint8Array(await readBuffer(gpu, buffer));
  buffers.destroy();

  // Blocks of the pattern repeat, so its reference is enough.
  const { codes, scales } = quantizeInt8Reference(pattern.values);
  const order = (i: number) => weightAt(i < first ? second + i : i - first);
  const expected = packInt8(
    Int8Array.from({ length: first + second }, (_, i) => codes[order(i)] ?? 0),
    Float64Array.from({ length: (first + second) / 32 }, (_, block) => scales[order(32 * block) / 32] ?? 0),
    columns,
  );
  expect(Buffer.compare(got, expected)).toBe(0);
});

it("frees what it made, also where there is no memory for it", async () => {
  const counted = await openCountedGpu();
  const gpu = await openGpu(counted.gpu);
  counted.failAllocation("bf16 weights to quantise");
  await expect(createQuantizer(gpu, 1024)).rejects.toMatchObject({ code: "out-of-memory" });
  expect(counted.liveBuffers()).toBe(0);
  const quantizer = await createQuantizer(gpu, 1024);
  expect(counted.liveBuffers()).toBe(2);
  quantizer.destroy();
  expect(counted.liveBuffers()).toBe(0);
  gpu.destroy();
});
