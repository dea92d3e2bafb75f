import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/data.ts";
import {
  fakeBuffer as buffer,
  type FakeBuffer,
  fakeUploadGpu as fakeGpu,
} from "../testing/fake-upload-gpu.ts";
import { plainTranspose } from "../testing/plain-transpose.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";
import { uploadWeights as upload } from "./upload.ts";
import type { TensorPlacement } from "./weights.ts";

const pieceBytes = 16 * 1024 * 1024;

/** Files made of these bytes; notes what is read. `misaligned` gives arrays that start at an odd byte. */
function fakeFiles(contents: Record<string, Uint8Array>, { misaligned = false } = {}) {
  const reads: string[] = [];
  const files: CheckpointFiles = {
    id: "test",
    readText: async () => undefined,
    sizeBytes: async (name) => contents[name]?.byteLength ?? 0,
    async read(name, startBytes, endBytes) {
      reads.push(`${name} ${startBytes}`);
      const bytes = (contents[name] ?? new Uint8Array()).slice(startBytes, endBytes);
      if (!misaligned) return bytes;
      const shifted = new Uint8Array(bytes.byteLength + 1);
      shifted.set(bytes, 1);
      return shifted.subarray(1);
    },
  };
  return { files, reads };
}

const randomContents = (length: number, seed: number) => {
  const random = seededRandom(seed);
  return new Uint8Array(length).map(() => random() * 256);
};

const placement = (
  into: FakeBuffer,
  range: readonly [startBytes: number, endBytes: number],
  more: { file?: string; offsetBytes?: number; transpose?: TensorPlacement["transpose"] } = {},
): TensorPlacement => ({
  tensor: {
    name: "test",
    file: more.file ?? "a",
    startBytes: range[0],
    endBytes: range[1],
  },
  buffer: into as unknown as GPUBuffer,
  offsetBytes: more.offsetBytes ?? 0,
  transpose: more.transpose,
});

describe.each(["staging", "write-buffer"] as const)("uploadWeights (%s)", (way) => {
  const uploadWeights = (...[gpu, files, placements, options]: Parameters<typeof upload>) =>
    upload(gpu, files, placements, { ...options, way });

  it("pads tensors of an odd number of words, such as the router bias of 5 experts", async () => {
    const contents = randomContents(100, 1);
    const routerBias = buffer(10);
    const { gpu } = fakeGpu();
    await uploadWeights(gpu, fakeFiles({ a: contents }).files, [placement(routerBias, [3, 13])]);
    expect([...routerBias.bytes]).toEqual([...contents.slice(3, 13), 0, 0]);
  });

  it("takes pieces that start at an odd address", async () => {
    const contents = randomContents(64, 2);
    const weights = buffer(64);
    const { gpu } = fakeGpu();
    const { files } = fakeFiles({ a: contents }, { misaligned: true });
    await uploadWeights(gpu, files, [placement(weights, [0, 64])]);
    expect(weights.bytes).toEqual(contents);
  });

  it("puts fused tensors one after another, read in file order, and waits for the GPU at the end", async () => {
    const contents = { a: randomContents(64, 3), b: randomContents(64, 4) };
    const qkv = buffer(72);
    const { gpu, flushes } = fakeGpu();
    const { files, reads } = fakeFiles(contents);
    await uploadWeights(gpu, files, [
      placement(qkv, [0, 32], { file: "b" }),
      placement(qkv, [40, 64], { file: "a", offsetBytes: 32 }),
      placement(qkv, [8, 24], { file: "a", offsetBytes: 56 }),
    ]);
    expect(reads).toEqual(["a 8", "a 40", "b 0"]);
    expect([...qkv.bytes]).toEqual([
      ...contents.b.slice(0, 32),
      ...contents.a.slice(40, 64),
      ...contents.a.slice(8, 24),
    ]);
    expect(flushes()).toBe(1);
  });

  it("cuts large tensors into pieces and keeps at most 97 MiB from the GPU", async () => {
    const sizeBytes = 7 * pieceBytes + 6;
    const contents = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 4099) contents[at] = at % 251;
    const weights = buffer(sizeBytes);
    const { gpu, writes, flushes, stagingBytes } = fakeGpu();
    const { files, reads } = fakeFiles({ a: contents });
    const staged: number[] = [];
    await uploadWeights(gpu, files, [placement(weights, [0, sizeBytes])], {
      onProgress: () => staged.push(stagingBytes()),
    });
    expect(reads).toHaveLength(8);
    expect(writes.map(({ offsetBytes }) => offsetBytes)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => i * pieceBytes),
    );
    expect(writes.at(-1)?.sizeBytes).toBe(8);
    expect(Math.max(...staged)).toBeLessThan(97 * 1024 * 1024);
    expect(stagingBytes()).toBe(0);
    expect(flushes(), "6 pieces are on their way at once").toBe(way === "staging" ? 1 : 3);
    expect(Buffer.compare(weights.bytes.subarray(0, sizeBytes), contents)).toBe(0);
  });

  it("transposes each expert by itself", async () => {
    const values = Uint16Array.from({ length: 3 * 2 * 5 }, (_, i) => i * 257);
    const weights = buffer(60);
    const { gpu } = fakeGpu();
    await uploadWeights(gpu, fakeFiles({ a: new Uint8Array(values.buffer) }).files, [
      placement(weights, [0, 60], { transpose: { count: 3, rows: 2, columns: 5 } }),
    ]);
    const expected = [0, 10, 20].flatMap((start) => [
      ...plainTranspose(values.slice(start, start + 10), 2, 5),
    ]);
    expect([...new Uint16Array(weights.bytes.buffer)]).toEqual(expected);
  });

  it("reports bytes that only grow, up to all of them", async () => {
    const contents = { a: randomContents(64, 5), b: randomContents(64, 6) };
    const target = buffer(128);
    const progress: ByteProgress[] = [];
    await uploadWeights(
      fakeGpu().gpu,
      fakeFiles(contents).files,
      [
        placement(target, [0, 10]),
        placement(target, [10, 64], { offsetBytes: 12 }),
        placement(target, [0, 62], { file: "b", offsetBytes: 64 }),
      ],
      { onProgress: (state) => progress.push(state) },
    );
    expect(progress.map(({ loadedBytes }) => loadedBytes)).toEqual([64, 126]);
    expect(progress.every(({ totalBytes, phase }) => totalBytes === 126 && phase === "load")).toBe(true);
    expect(progress.map(({ file }) => file)).toEqual(["a", "b"]);
  });

  it("stops at an abort, with nothing left unhandled", async () => {
    const abort = new AbortController();
    const { gpu, writes, stagingBytes } = fakeGpu();
    const target = buffer(1024);
    const { files } = fakeFiles({ a: randomContents(2048, 7) });
    let reading = 0;
    const failing: CheckpointFiles = {
      ...files,
      read: async (name, start, end, signal) => {
        reading += 1;
        // The first block arrives; the others' reads end with the abort.
        if (start > 0)
          await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
        return files.read(name, start, end);
      },
    };
    const tensors = Array.from({ length: 20 }, (_, i) => placement(target, [100 * i, 100 * i + 8]));
    const options = { signal: abort.signal, onProgress: () => abort.abort() };
    await expect(uploadWeights(gpu, failing, tensors, options)).rejects.toMatchObject({ code: "aborted" });
    expect([writes.length, reading, stagingBytes()]).toEqual([1, 6, 0]);
  });

  it("passes on what a read throws", async () => {
    const files: CheckpointFiles = {
      ...fakeFiles({}).files,
      read: async () => {
        throw new Error("the disk is gone");
      },
    };
    await expect(uploadWeights(fakeGpu().gpu, files, [placement(buffer(8), [0, 8])])).rejects.toThrow(
      "the disk is gone",
    );
  });

  it("throws what the first lane to fail threw, not the abort that it was for the lanes before it", async () => {
    const { files } = fakeFiles({ a: randomContents(2048, 7) });
    const failing: CheckpointFiles = {
      ...files,
      read: async (_, start, __, signal) => {
        if (start === 200) throw new Error("the disk is gone");
        return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const { gpu, stagingBytes } = fakeGpu();
    const tensors = Array.from({ length: 20 }, (_, i) => placement(buffer(8), [100 * i, 100 * i + 8]));
    await expect(uploadWeights(gpu, failing, tensors)).rejects.toThrow("the disk is gone");
    expect(stagingBytes()).toBe(0);
  });

  it("reads right into the staging memory what stands there as in the file, and moves the rest", async () => {
    const contents = { a: randomContents(160, 8), b: randomContents(64, 9) };
    const aligned = buffer(96);
    const shifted = buffer(40);
    const { gpu } = fakeGpu();
    const { files, reads } = fakeFiles(contents);
    const readInto: string[] = [];
    const reader: CheckpointFiles = {
      ...files,
      async readInto(name, startBytes, target) {
        readInto.push(`${name} ${startBytes} ${target.byteLength}`);
        target.set(
          (contents as Record<string, Uint8Array>)[name]?.subarray(
            startBytes,
            startBytes + target.byteLength,
          ) ?? [],
        );
      },
    };
    const stats = await uploadWeights(gpu, reader, [
      placement(aligned, [6, 70]),
      placement(aligned, [70, 102], { offsetBytes: 64 }),
      placement(shifted, [0, 6], { file: "b" }),
      placement(shifted, [6, 38], { file: "b", offsetBytes: 8 }),
    ]);
    expect(readInto).toEqual(["a 6 96"]);
    expect(reads).toEqual(["b 0"]);
    expect([...aligned.bytes]).toEqual([...contents.a.slice(6, 102)]);
    expect([...shifted.bytes]).toEqual([...contents.b.slice(0, 6), 0, 0, ...contents.b.slice(6, 38)]);
    expect(stats).toMatchObject({ bytes: 96 + 38, lanes: 2, way });
  });

  // The other way fills memory of its own.
  if (way === "staging")
    it("says that the device was lost where the memory that is read into goes away with it", async () => {
      const reader: CheckpointFiles = {
        ...fakeFiles({}).files,
        async readInto(_name, _startBytes, target) {
          structuredClone(target.buffer, { transfer: [target.buffer as ArrayBuffer] });
          target.set([1]);
        },
      };
      const uploading = uploadWeights(fakeGpu().gpu, reader, [placement(buffer(8), [0, 8])]);
      await expect(uploading).rejects.toMatchObject({ code: "device-lost", cause: expect.any(TypeError) });
    });

  it("has nothing to do without tensors", async () => {
    const { gpu, writes, flushes } = fakeGpu();
    await uploadWeights(gpu, fakeFiles({}).files, []);
    expect([writes, flushes()]).toEqual([[], 0]);
  });
});
