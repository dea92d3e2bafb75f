import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineError, isEngineError } from "../errors.ts";
import { rawSafetensors, safetensorsBytes } from "../testing/safetensors-bytes.ts";
import { maxHeaderBytes, parseSafetensorsHeader, safetensorsHeaderLength } from "./safetensors.ts";
import type { ExpectedTensor } from "./types.ts";

function parse(bytes: Uint8Array, sizeBytes = bytes.byteLength) {
  return parseSafetensorsHeader("a.safetensors", bytes, sizeBytes);
}

function entry(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { dtype: "U8", shape: [4], data_offsets: [0, 4], ...fields };
}

function expectInvalid(bytes: Uint8Array, message: RegExp): void {
  expect(() => parse(bytes)).toThrow(EngineError);
  expect(() => parse(bytes)).toThrow(message);
}

describe("safetensors length prefix", () => {
  const prefix = (length: bigint) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };

  it("gives the header length", () => {
    expect(safetensorsHeaderLength(prefix(120n), "a", 4000)).toBe(120);
  });
  it("reads from a view that does not start its buffer", () => {
    const bytes = new Uint8Array(16);
    bytes.set(prefix(99n), 8);
    expect(safetensorsHeaderLength(bytes.subarray(8), "a", 4000)).toBe(99);
  });
  it.each([
    ["the largest u64", 0xffff_ffff_ffff_ffffn, 4000, /claims 18446744073709551615 bytes/],
    ["a length that a number would round", 2n ** 53n + 1n, 4000, /claims 9007199254740993 bytes/],
    ["one byte over the cap", BigInt(maxHeaderBytes) + 1n, 1e9, /at most 25000000/],
    ["a header longer than the file", 93n, 100, /the file has 100 in all/],
    ["a header too short for {}", 1n, 100, /claims 1 bytes/],
    ["a file of 7 bytes", 2n, 7, /too few/],
  ])("refuses %s", (_, length, sizeBytes, message) => {
    expect(() => safetensorsHeaderLength(prefix(length), "a", sizeBytes)).toThrow(message);
  });
  it("accepts a header that fills the file", () => {
    expect(safetensorsHeaderLength(prefix(92n), "a", 100)).toBe(92);
  });
});

describe("safetensors header", () => {
  it("reads a real file", () => {
    const bytes = readFileSync("fixtures/tiny-mxfp4/model.safetensors");
    const entries = parse(bytes);
    expect(entries).toHaveLength(4 * 19 + 3);
    expect(entries[0]).toEqual({
      name: "lm_head.weight",
      dtype: "BF16",
      shape: [320, 128],
      file: "a.safetensors",
      startBytes: 8328,
      endBytes: 8328 + 81920,
    });
    expect(entries.at(-1)?.endBytes).toBe(bytes.byteLength);
  });
  it("sorts by offset, whatever the order of the keys", () => {
    const header = { b: entry({ data_offsets: [4, 8] }), a: entry() };
    expect(parse(rawSafetensors(JSON.stringify(header), 8)).map(({ name }) => name)).toEqual(["a", "b"]);
  });
  it("accepts an empty header, space padding, zero-sized and scalar tensors", () => {
    expect(parse(rawSafetensors("{}   "))).toEqual([]);
    const header = {
      none: entry({ shape: [0, 7], data_offsets: [0, 0] }),
      scalar: entry({ shape: [], data_offsets: [0, 1] }),
    };
    expect(parse(rawSafetensors(JSON.stringify(header), 1)).map(({ name }) => name)).toEqual([
      "none",
      "scalar",
    ]);
  });
  it("treats __proto__ as an ordinary name", () => {
    const [only] = parse(rawSafetensors(`{"__proto__":${JSON.stringify(entry())}}`, 4));
    expect(only?.name).toBe("__proto__");
    expect(Object.hasOwn(Object.prototype, "dtype")).toBe(false);
  });

  const e = JSON.stringify(entry());
  it.each<[string, string, number, RegExp]>([
    ["a space in front", ' {"a":1}', 0, /begin with "\{"/],
    ["an array", "[1]", 0, /begin with/],
    ["no JSON", '{"a":}', 0, /not UTF-8 JSON/],
    ["newline padding", "{}\n", 0, /padded with spaces only/],
    ["NUL padding", "{}\0", 0, /padded with spaces only/],
    ["a second JSON value", "{}{}", 0, /not UTF-8 JSON/],
    ["a tensor named twice", `{"a":${e},"a":${e}}`, 4, /names "a" twice/],
    ["a tensor named twice by escapes", `{"a":${e},"\\u0061":${e}}`, 4, /names "a" twice/],
    [
      "a field named twice",
      '{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
      4,
      /"dtype" twice/,
    ],
    ["metadata named twice", `{"__metadata__":{},"a":${e},"__metadata__":{}}`, 4, /"__metadata__" twice/],
    ["a metadata key named twice", '{"__metadata__":{"k":"1","k":"2"}}', 0, /"k" twice/],
    ["metadata with a number", '{"__metadata__":{"k":1}}', 0, /__metadata__ must map strings to strings/],
    ["metadata as a list", '{"__metadata__":["k"]}', 0, /__metadata__ must map/],
    ["a tensor that is no object", '{"a":[1]}', 0, /tensor a is described by \[1\]/],
    ["a tensor that is null", '{"a":null}', 0, /described by null/],
    ["an unknown field", `{"a":${JSON.stringify(entry({ strides: [1] }))}}`, 4, /unknown field "strides"/],
    ["a missing dtype", '{"a":{"shape":[4],"data_offsets":[0,4]}}', 4, /dtype missing/],
    ["dtype F32", `{"a":${JSON.stringify(entry({ dtype: "F32" }))}}`, 4, /dtype "F32".*BF16 and U8/],
    [
      "a dtype of the prototype",
      `{"a":${JSON.stringify(entry({ dtype: "toString" }))}}`,
      4,
      /dtype "toString"/,
    ],
    ["a negative dim", '{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}', 4, /number -4/],
    ["minus zero", '{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}', 0, /number -0/],
    ["a fractional dim", '{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}', 4, /number 4\.0/],
    ["an exponent", '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4e0]}}', 4, /number 4e0/],
    ["a dim as text", `{"a":${JSON.stringify(entry({ shape: ["4"] }))}}`, 4, /shape \["4"\]/],
    [
      "a dim over 2^53",
      '{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,4]}}',
      4,
      /whole numbers/,
    ],
    ["a product over 2^53", `{"a":${JSON.stringify(entry({ shape: [2 ** 40, 2 ** 40] }))}}`, 4, /overflows/],
    [
      "a product that wraps at 2^64 to the right size",
      `{"a":${JSON.stringify(entry({ shape: [2 ** 32, 2 ** 32, 4] }))}}`,
      4,
      /overflows/,
    ],
    ["one offset", `{"a":${JSON.stringify(entry({ data_offsets: [0] }))}}`, 4, /expected \[start, end\]/],
    [
      "three offsets",
      `{"a":${JSON.stringify(entry({ data_offsets: [0, 4, 8] }))}}`,
      4,
      /expected \[start, end\]/,
    ],
    ["offsets that run back", `{"a":${JSON.stringify(entry({ data_offsets: [4, 0] }))}}`, 4, /start <= end/],
    [
      "a span that does not fit the shape",
      `{"a":${JSON.stringify(entry({ shape: [5] }))}}`,
      4,
      /takes 5 bytes.*span 4/,
    ],
    [
      "a hole at the start",
      `{"a":${JSON.stringify(entry({ data_offsets: [4, 8] }))}}`,
      8,
      /hole before tensor a/,
    ],
    [
      "a hole in the middle",
      JSON.stringify({ a: entry(), b: entry({ data_offsets: [5, 9] }) }),
      9,
      /hole before tensor b/,
    ],
    [
      "an overlap",
      JSON.stringify({ a: entry(), b: entry({ data_offsets: [2, 6] }) }),
      6,
      /overlaps tensor b/,
    ],
    ["two names for one span", JSON.stringify({ a: entry(), b: entry() }), 4, /overlaps tensor b/],
    ["data behind the last tensor", `{"a":${e}}`, 5, /carries other data/],
    ["data without tensors", "{}", 1, /carries other data/],
    ["a file cut short", `{"a":${e}}`, 3, /cut short/],
  ])("refuses %s", (_, header, dataBytes, message) => {
    expectInvalid(rawSafetensors(header, dataBytes), message);
  });
  it("refuses bytes that are not UTF-8", () => {
    expectInvalid(rawSafetensors(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), /not UTF-8/);
  });
  it("refuses fewer bytes than the header", () => {
    const bytes = rawSafetensors(`{"a":${e}}`, 4);
    expect(() => parse(bytes.subarray(0, 20), bytes.byteLength)).toThrow(/the header needs/);
  });
});

const tensorList = fc.uniqueArray(
  fc.record<ExpectedTensor>({
    name: fc
      .string({ unit: "binary", minLength: 1, maxLength: 12 })
      .filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom("BF16" as const, "U8" as const),
    shape: fc.array(fc.nat(5), { maxLength: 4 }),
  }),
  { selector: ({ name }) => name, maxLength: 6 },
);

describe("safetensors properties", () => {
  it("reads back every file it should accept", () => {
    fc.assert(
      fc.property(tensorList, (tensors) => {
        const bytes = safetensorsBytes(tensors);
        const entries = parse(bytes);
        const got = entries.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
        expect(new Set(got.map((t) => JSON.stringify(t)))).toEqual(
          new Set(tensors.map(({ name, dtype, shape }) => JSON.stringify({ name, dtype, shape }))),
        );
      }),
      { numRuns: 1000 },
    );
  });
  it("answers any damage with a typed error or a file that covers its bytes exactly", () => {
    const good = safetensorsBytes([
      { name: "a", dtype: "BF16", shape: [2, 3] },
      { name: "b", dtype: "U8", shape: [5] },
    ]);
    const edit = fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(20), (edits, cut) => {
        const bytes = good.slice(0, good.byteLength - cut);
        for (const [at, value] of edits) if (at < bytes.byteLength) bytes[at] = value;
        try {
          const entries = parse(bytes);
          expect(entries.at(-1)?.endBytes).toBe(bytes.byteLength);
        } catch (error) {
          if (!isEngineError(error, "checkpoint-invalid")) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
  it("refuses every shift of one offset", () => {
    const offset = fc.record({ tensor: fc.nat(2), side: fc.nat(1), by: fc.integer({ min: -9, max: 9 }) });
    fc.assert(
      fc.property(offset, ({ tensor, side, by }) => {
        fc.pre(by !== 0);
        const offsets = [
          [0, 4],
          [4, 8],
          [8, 12],
        ].map((pair, i) =>
          pair.map((value, j) => (i === tensor && j === side ? Math.max(0, value + by) : value)),
        );
        fc.pre(!(tensor === 0 && side === 0 && by < 0));
        const header = Object.fromEntries(offsets.map((pair, i) => [`t${i}`, entry({ data_offsets: pair })]));
        expect(() => parse(rawSafetensors(JSON.stringify(header), 12))).toThrow(EngineError);
      }),
      { numRuns: 300 },
    );
  });
});
