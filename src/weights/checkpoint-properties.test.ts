// What must hold for every safetensors header, shard index and range, over more than 100 000 random cases in all.
// A failure prints the seed and the smallest case found; `fc.assert(…, { seed, path })` runs it again.
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { isEngineError } from "../errors.ts";
import { isPlainFileName } from "../format/file-name.ts";
import { parseSafetensorsHeader } from "../format/safetensors.ts";
import { parseShardIndex } from "../format/shard-index.ts";
import type { ExpectedTensor, TensorEntry } from "../format/types.ts";
import { splitEvenly } from "../model/parts.ts";
import { planBlocks } from "../model/upload-blocks.ts";
import type { TensorPlacement } from "../model/weights.ts";
import { rawSafetensors, safetensorsBytes } from "../testing/safetensors-bytes.ts";
import { chunkRange, numChunks } from "./chunks.ts";

vi.setConfig({ testTimeout: 60_000 });

let numCases = 0;
afterAll(() => expect(numCases).toBeGreaterThanOrEqual(100_000));

/** Runs a property `numRuns` times and counts the cases. */
function check<T>(numRuns: number, values: fc.Arbitrary<T>, holds: (value: T) => void): void {
  const counted = fc.property(values, (value) => {
    numCases += 1;
    holds(value);
  });
  fc.assert(counted, { numRuns });
}

/** What `read` returns, or undefined where it refuses with the error that a wrong checkpoint has. Any other is thrown. */
function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isEngineError(error, "checkpoint-invalid")) return undefined;
    throw error;
  }
}

const file = "model.safetensors";
const parse = (bytes: Uint8Array, fileSizeBytes = bytes.byteLength) =>
  parseSafetensorsHeader(file, bytes, fileSizeBytes);

/** True where the entries cover the file from `startBytes` to its end, each byte once, in order. */
function tilesFile(entries: readonly TensorEntry[], startBytes: number, sizeBytes: number): boolean {
  let at = startBytes;
  for (const entry of entries) {
    if (entry.startBytes !== at || entry.endBytes < at) return false;
    at = entry.endBytes;
  }
  return at === sizeBytes;
}

const headerEnd = (bytes: Uint8Array) =>
  8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));

const tensors = fc.uniqueArray(
  fc.record<ExpectedTensor>({
    name: fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom("BF16", "U8"),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, maxLength: 4 },
);

const good = safetensorsBytes([
  { name: "model.norm.weight", dtype: "BF16", shape: [4] },
  { name: "experts_blocks", dtype: "U8", shape: [1, 2, 3] },
  { name: "empty", dtype: "U8", shape: [0, 7] },
]);

describe("a safetensors header", () => {
  it("reads back every tensor of a valid file", () => {
    check(10_000, tensors, (written) => {
      const bytes = safetensorsBytes(written);
      const read = parse(bytes);
      if (!tilesFile(read, headerEnd(bytes), bytes.byteLength)) throw new Error("bytes are left over");
      const plain = (list: readonly ExpectedTensor[]) =>
        list.map(({ name, dtype, shape }) => `${name} ${dtype} ${shape}`).sort();
      expect(plain(read)).toEqual(plain(written));
    });
  });

  it("with any bytes changed is refused, or still describes every byte once", () => {
    const edit = fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255));
    check(25_000, fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
      const bytes = good.slice();
      for (const [at, value] of edits) bytes[at] = value;
      const read = unlessRefused(() => parse(bytes));
      if (read !== undefined && !tilesFile(read, headerEnd(bytes), bytes.byteLength))
        throw new Error("bytes are left over");
    });
  });

  it("that ends early is refused, whatever lies behind its bytes in memory", () => {
    check(
      10_000,
      fc.tuple(fc.nat(good.byteLength - 1), fc.nat(good.byteLength * 2)),
      ([cut, claimedBytes]) => {
        // The rest of the valid file lies behind the view: a reader that looks there would accept it.
        const read = unlessRefused(() => parse(good.subarray(0, cut), claimedBytes));
        const isWhole = cut >= headerEnd(good) && claimedBytes === good.byteLength;
        if ((read !== undefined) !== isWhole)
          throw new Error(`cut at ${cut} of ${claimedBytes}: ${read !== undefined}`);
      },
    );
  });

  const wild = fc.oneof(
    fc.integer({ min: -3, max: 40 }),
    fc.double(),
    fc.constantFrom("BF16", "U8", "F32", null, "", [], {}, [1, 2], 2 ** 53, -0),
    fc.array(fc.integer({ min: -2, max: 30 }), { maxLength: 3 }),
  );
  const wildEntry = fc.record(
    { dtype: wild, shape: wild, data_offsets: wild, other: wild },
    { requiredKeys: [] },
  );
  const rightEntry = fc.nat(12).map((size) => ({ dtype: "U8", shape: [size], data_offsets: [0, size] }));
  const header = fc.dictionary(
    fc.constantFrom("a", "b", "__metadata__", "constructor"),
    fc.oneof(wildEntry, rightEntry, wild),
  );

  it("with any values in its fields is refused, or right", () => {
    check(15_000, fc.tuple(header, fc.nat(30)), ([json, dataBytes]) => {
      const bytes = rawSafetensors(JSON.stringify(json), dataBytes);
      const read = unlessRefused(() => parse(bytes));
      if (read !== undefined && !tilesFile(read, headerEnd(bytes), bytes.byteLength))
        throw new Error("bytes are left over");
    });
  });

  it("that nests a hundred thousand brackets ends like any other wrong one", () => {
    const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(unlessRefused(() => parse(rawSafetensors(deep)))).toBeUndefined();
  });
});

describe("a shard index", () => {
  const plainName = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/).map((name) => `${name}.safetensors`);
  const hostileName = fc.oneof(
    fc.constantFrom(
      "../x.safetensors",
      "/etc/x.safetensors",
      "a/b.safetensors",
      "https://x.test/a.safetensors",
      "",
    ),
    fc.string({ maxLength: 12 }),
    fc.string({ maxLength: 6 }).map((name) => `${name}.safetensors`),
  );
  const isRight = (name: string) => isPlainFileName(name) && name.endsWith(".safetensors");
  const index = (names: fc.Arbitrary<string>) =>
    fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), names, {
      minKeys: 1,
      maxKeys: 5,
      noNullPrototype: true,
    });

  it("reads back every tensor's file, and each file once", () => {
    check(10_000, index(plainName), (weightMap) => {
      const { files, fileOfTensor } = parseShardIndex(
        JSON.stringify({ metadata: {}, weight_map: weightMap }),
      );
      expect(Object.fromEntries(fileOfTensor)).toEqual(weightMap);
      expect([...files].sort()).toEqual([...new Set(Object.values(weightMap))].sort());
    });
  });

  it("never gives a name that leaves the folder", () => {
    check(10_000, index(fc.oneof(plainName, hostileName)), (weightMap) => {
      const read = unlessRefused(() => parseShardIndex(JSON.stringify({ weight_map: weightMap })));
      expect(read !== undefined).toBe(Object.values(weightMap).every(isRight));
    });
  });

  it("with any characters changed is refused or right", () => {
    const text = '{"metadata":{"total_size":12},"weight_map":{"a":"m-0.safetensors","b":"m-1.safetensors"}}';
    const edit = fc.tuple(fc.nat(text.length - 1), fc.constantFrom(...'{}[]":,.\\/-0am \u0000\u00e9'));
    check(10_000, fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const chars = [...text];
      for (const [at, char] of edits) chars[at] = char;
      const read = unlessRefused(() => parseShardIndex(chars.join("")));
      if (read !== undefined) expect(read.files.every(isRight)).toBe(true);
    });
  });
});

describe("the chunks of a file", () => {
  it("cover every byte once, each within the size asked for", () => {
    const sizes = fc.tuple(
      fc.oneof(fc.nat(5_000), fc.nat({ max: 2 ** 31 - 1 })),
      fc.integer({ min: 1, max: 64 }),
    );
    check(20_000, sizes, ([sizeBytes, parts]) => {
      const chunkBytes = Math.max(1, Math.ceil(sizeBytes / parts) + (sizeBytes % 3) - 1);
      let at = 0;
      const count = numChunks(sizeBytes, chunkBytes);
      for (let index = 0; index < count; index += 1) {
        const { startBytes, endBytes } = chunkRange(sizeBytes, chunkBytes, index);
        const isRight = startBytes === at && endBytes > at && endBytes - at <= chunkBytes;
        if (!isRight) throw new Error(`chunk ${index} is [${startBytes}, ${endBytes}) after ${at}`);
        at = endBytes;
      }
      if (at !== sizeBytes) throw new Error(`they end at ${at} of ${sizeBytes}`);
    });
  });
});

describe("the reads of a load", () => {
  const placements = fc
    .tuple(
      fc.nat(40),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.nat(3), fc.nat(9)), {
        minLength: 1,
        maxLength: 6,
      }),
    )
    .map(([start, tensors]) => {
      let at = start;
      return tensors.map(([sizeBytes, gapBytes, matrix], i): TensorPlacement => {
        // One in ten is a pile of bf16 matrices to be transposed.
        const transpose = matrix === 0 ? { count: 3, rows: 2, columns: 4 } : undefined;
        const startBytes = at + gapBytes;
        at = startBytes + (transpose === undefined ? sizeBytes : 48);
        const tensor = { name: `t${i}`, file: i < 4 ? "a" : "b", startBytes, endBytes: at };
        return { tensor, buffer: {} as GPUBuffer, offsetBytes: 0, transpose };
      });
    });

  it("bring every byte of every tensor once, to places that the GPU copies from", () => {
    const blockSizes = fc.integer({ min: 16, max: 80 }).map((words) => words * 4);
    check(10_000, fc.tuple(placements, blockSizes), ([tensors, blockBytes]) => {
      const next = new Map(tensors.map(({ tensor }) => [tensor.name, 0]));
      const readUpTo = new Map<string, number>();
      for (const { file: name, startBytes, endBytes, segments, stagedBytes, isDirect } of planBlocks(
        tensors,
        blockBytes,
      )) {
        if (startBytes < (readUpTo.get(name) ?? 0))
          throw new Error(`${name} is read twice before ${startBytes}`);
        readUpTo.set(name, endBytes);
        for (const part of segments) {
          const { tensor, transpose } = part.placement;
          const isRight =
            tensor.file === name &&
            part.startBytes === next.get(tensor.name) &&
            part.endBytes > part.startBytes &&
            tensor.startBytes + part.startBytes >= startBytes &&
            tensor.startBytes + part.endBytes <= endBytes &&
            part.startBytes % (transpose === undefined ? 4 : 16) === 0 &&
            part.stagedBytes % 4 === 0 &&
            part.stagedBytes + part.endBytes - part.startBytes <= stagedBytes &&
            (!isDirect || part.stagedBytes === tensor.startBytes + part.startBytes - startBytes);
          if (!isRight)
            throw new Error(`wrong part [${part.startBytes}, ${part.endBytes}) of ${tensor.name}`);
          next.set(tensor.name, part.endBytes);
        }
      }
      for (const { tensor } of tensors) {
        if (next.get(tensor.name) !== tensor.endBytes - tensor.startBytes)
          throw new Error(`${tensor.name} is cut short`);
      }
    });
  });

  it("split what is too large into parts that cover it once, each within the limit", () => {
    const sizes = fc.record({
      count: fc.integer({ min: 1, max: 5_000 }),
      bytesEach: fc.integer({ min: 1, max: 4_096 }),
      multiple: fc.integer({ min: 1, max: 64 }),
      roomBytes: fc.nat(1_000_000),
    });
    check(10_000, sizes, ({ count, bytesEach, multiple, roomBytes }) => {
      const limitBytes = bytesEach * multiple + roomBytes;
      let first = 0;
      for (const part of splitEvenly({ count, bytesEach, limitBytes, multiple })) {
        const isRight = part.first === first && part.count > 0 && part.first % multiple === 0;
        if (!isRight || part.count * bytesEach > limitBytes)
          throw new Error(`wrong part ${JSON.stringify(part)}`);
        first += part.count;
      }
      if (first !== count) throw new Error(`they end at ${first} of ${count}`);
    });
  });
});
