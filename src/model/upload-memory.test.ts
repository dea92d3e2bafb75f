// How many bytes of weights are alive at once while a model is loaded, counted where they are made and given up.
import { expect, it } from "vitest";
import { fakeUploadGpu } from "../testing/fake-upload-gpu.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { uploadWeights } from "./upload.ts";
import type { TensorPlacement } from "./weights.ts";

const mib = 1024 * 1024;

/** Room for the staging memory and the pieces of every lane, transposed ones twice. */
const allowedBytes = 256 * mib;

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
  const { gpu, writes, stagingBytes } = fakeUploadGpu({ keepsBytes: false });
  const copies = tensor.transpose === undefined ? 1 : 2;
  let readBytes = 0;
  let doneBytes = 0;
  let peakBytes = 0;
  const files: CheckpointFiles = {
    id: "counting",
    readText: async () => undefined,
    sizeBytes: async () => 0,
    async read(_name, startBytes, endBytes) {
      readBytes += endBytes - startBytes;
      peakBytes = Math.max(peakBytes, copies * (readBytes - doneBytes) + stagingBytes());
      await new Promise((resolve) => setTimeout(resolve, 0)); // the other lanes' reads begin meanwhile
      return new Uint8Array(endBytes - startBytes);
    },
  };
  const sizeBytes = tensor.tensor.endBytes;
  await uploadWeights(gpu, files, [tensor], {
    onProgress: ({ loadedBytes }) => {
      doneBytes = loadedBytes;
    },
  });
  expect(writes.reduce((sum, write) => sum + write.sizeBytes, 0)).toBe(sizeBytes);
  expect(sizeBytes, "the tensor alone would break the bound").toBeGreaterThan(allowedBytes);
  expect(peakBytes).toBeLessThanOrEqual(allowedBytes);
  expect(peakBytes, "several pieces are read at once").toBeGreaterThan(96 * mib);
});
