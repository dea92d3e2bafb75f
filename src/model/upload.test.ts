import { describe, expect, it } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";
import { seededRandom } from "../testing/data.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";
import { transposeBf16, uploadWeights } from "./upload.ts";
import type { TensorPlacement } from "./weights.ts";

const pieceBytes = 16 * 1024 * 1024;

/** A buffer that is its bytes. */
interface FakeBuffer {
  readonly bytes: Uint8Array;
}

/** A device whose queue copies at once, with the rules of `writeBuffer`. */
function fakeGpu() {
  const writes: { offsetBytes: number; sizeBytes: number }[] = [];
  let flushes = 0;
  const queue = {
    writeBuffer(buffer: FakeBuffer, offsetBytes: number, data: Uint8Array) {
      if (offsetBytes % 4 !== 0 || data.byteLength % 4 !== 0)
        throw new Error(`writeBuffer of ${data.byteLength} bytes at ${offsetBytes}`);
      if (offsetBytes + data.byteLength > buffer.bytes.byteLength) throw new Error("beyond the buffer's end");
      writes.push({ offsetBytes, sizeBytes: data.byteLength });
      buffer.bytes.set(data, offsetBytes);
    },
    submit: () => {},
    async onSubmittedWorkDone() {
      flushes += 1;
    },
  };
  return { gpu: { device: { queue } } as unknown as Gpu, writes, flushes: () => flushes };
}

const buffer = (sizeBytes: number): FakeBuffer => ({ bytes: new Uint8Array(Math.ceil(sizeBytes / 4) * 4) });

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

/** The plainest transposition. */
function plainTranspose(values: Uint16Array, rows: number, columns: number): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      out[column * rows + row] = values[row * columns + column] ?? 0;
  return out;
}

describe("transposeBf16", () => {
  it.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [32, 32],
    [33, 65],
    [96, 40],
  ])("turns [%i, %i] round", (rows, columns) => {
    const values = Uint16Array.from({ length: rows * columns }, (_, i) => i + 1);
    const turned = transposeBf16(new Uint8Array(values.buffer), rows, columns);
    expect(new Uint16Array(turned.buffer)).toEqual(plainTranspose(values, rows, columns));
  });

  it("takes bytes that start at an odd address", () => {
    const bytes = Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4, 0);
    expect([...transposeBf16(bytes.subarray(1), 2, 2)]).toEqual([1, 0, 3, 0, 2, 0, 4, 0]);
  });
});

describe("uploadWeights", () => {
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

  it("cuts large tensors into pieces and keeps at most 64 MiB from the GPU", async () => {
    const sizeBytes = 5 * pieceBytes + 6;
    const contents = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 4099) contents[at] = at % 251;
    const weights = buffer(sizeBytes);
    const { gpu, writes, flushes } = fakeGpu();
    const { files, reads } = fakeFiles({ a: contents });
    await uploadWeights(gpu, files, [placement(weights, [0, sizeBytes])]);
    expect(reads).toHaveLength(6);
    expect(writes.map(({ offsetBytes }) => offsetBytes)).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => i * pieceBytes),
    );
    expect(writes.at(-1)?.sizeBytes).toBe(8);
    expect(flushes()).toBe(2);
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
    expect(progress.map(({ loadedBytes }) => loadedBytes)).toEqual([10, 64, 126]);
    expect(progress.every(({ totalBytes, phase }) => totalBytes === 126 && phase === "load")).toBe(true);
    expect(progress.map(({ file }) => file)).toEqual(["a", "a", "b"]);
  });

  it("stops at an abort, with nothing left unhandled", async () => {
    const abort = new AbortController();
    const { gpu, writes } = fakeGpu();
    const target = buffer(16);
    const { files } = fakeFiles({ a: randomContents(16, 7) });
    const failing: CheckpointFiles = {
      ...files,
      read: async (name, start, end, signal) => {
        signal?.throwIfAborted();
        return files.read(name, start, end);
      },
    };
    const upload = uploadWeights(
      gpu,
      failing,
      [placement(target, [0, 8]), placement(target, [8, 12]), placement(target, [12, 16])],
      { signal: abort.signal, onProgress: () => abort.abort() },
    );
    await expect(upload).rejects.toMatchObject({ code: "aborted" });
    expect(writes).toHaveLength(1);
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

  it("has nothing to do without tensors", async () => {
    const { gpu, writes, flushes } = fakeGpu();
    await uploadWeights(gpu, fakeFiles({}).files, []);
    expect([writes, flushes()]).toEqual([[], 0]);
  });
});
