// quantize-int8: codes and scales are the reference's, bit for bit.
import { expect, it } from "vitest";
import { randomNormal, toBf16 } from "../../testing/data.ts";
import { packInt8 } from "../../testing/dense.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { int8GroupsBefore, int8Layout } from "./dense.ts";
import { quantizeInt8Reference } from "./quantize-int8.reference.ts";
import { packInt8Piece, quantizeInt8, quantizeInt8Grid } from "./quantize-int8.ts";

/** Quantises a piece of a matrix [rows, columns] that starts with weight `first`; the others' bytes are as `before` says. */
async function quantize(
  weights: Uint16Array,
  {
    rows,
    columns,
    first = 0,
    before = 0,
  }: { rows: number; columns: number; first?: number; before?: number },
): Promise<Uint8Array> {
  const { scalesAtBytes, sizeBytes } = int8Layout(rows, columns);
  const firstGroup = int8GroupsBefore(columns, first);
  const numGroups = int8GroupsBefore(columns, first + weights.length) - firstGroup;
  const { matrix } = await runKernel(await testGpu(), {
    kernel: quantizeInt8,
    shape: {},
    variant: "workgroup",
    step: packInt8Piece({ firstGroup, numGroups, columns, scalesAtBytes }).buffer,
    inputs: { weights, matrix: new Uint32Array(sizeBytes / 4).fill(before) },
    grid: quantizeInt8Grid(numGroups),
  });
  return new Uint8Array(matrix);
}

/** Blocks of one value each but for the first weight, which decides the scale. */
const blocksOf = (greatest: number, values: readonly number[]) =>
  values.flatMap((value) => [greatest, ...Array<number>(31).fill(value)]);

const cases: readonly (readonly [string, ArrayLike<number>])[] = [
  ["one block", randomNormal(32, 1)],
  ["two blocks", randomNormal(64, 2, 0.02)],
  ["more blocks than a workgroup takes, an odd number", randomNormal(32 * 261, 3, 0.02)],
  ["zeros, also beside others", [...new Float32Array(64), ...randomNormal(64, 4), ...new Float32Array(32)]],
  // scale 1: n + 0.5 exactly half-way between codes, up to where bf16 still has halves.
  ["ties", blocksOf(127, [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 62.5, 63.5, -61.5])],
  // Scales whose inverses are not exact; w = 2.5 s, 5.5 s are still bf16.
  [
    "ties of other scales",
    [1.0078125, 1.25, 1.5, 1.75, 3].flatMap((s) => blocksOf(127 * s, [2.5 * s, 5.5 * s])),
  ],
  ["tiny", [...randomNormal(32, 5, 1e-20), ...randomNormal(32, 6, 1e-35), ...randomNormal(32, 7, 1e-28)]],
  ["huge", randomNormal(64, 8, 3e37)],
  ["one outlier in each block", randomNormal(320, 9).map((value, i) => (i % 32 === 7 ? 300 * value : value))],
];

/** One row, and rows of one block, which lie in groups of two all the same. */
const layouts = cases.flatMap(([name, numbers]) => [
  { name, numbers, columns: numbers.length },
  { name, numbers, columns: 32 },
]);

it.each(layouts)("quantize-int8 gives the reference's bits: $name, rows of $columns", async (layout) => {
  const { numbers, columns } = layout;
  const { bits, values } = toBf16(numbers);
  const { codes, scales } = quantizeInt8Reference(values);
  const expected = packInt8(codes, scales, columns);
  const got = await quantize(bits, { rows: values.length / columns, columns });
  expect(expected.some((byte) => byte !== 0)).toBe(true);
  expect(Buffer.compare(got, expected)).toBe(0);
});

it.each([
  { name: "groups of a row", rows: 2, columns: 384, first: 192, length: 128 },
  { name: "whole rows with an odd number of blocks", rows: 5, columns: 96, first: 192, length: 192 },
])("quantize-int8 writes its piece alone: $name", async ({ rows, columns, first, length }) => {
  const { bits, values } = toBf16(randomNormal(rows * columns, 10));
  const { codes, scales } = quantizeInt8Reference(values);
  const all = new Uint32Array(packInt8(codes, scales, columns).buffer);
  const got = await quantize(bits.slice(first, first + length), { rows, columns, first, before: poison });
  const { scalesAtBytes } = int8Layout(rows, columns);
  const isOf = (group: number) =>
    group >= int8GroupsBefore(columns, first) && group < int8GroupsBefore(columns, first + length);
  const hasCodes = (word: number) => {
    const isPadding = columns % 64 !== 0 && Math.floor(word / 16) % 2 === 1 && word % 4 >= 2;
    return isOf(Math.floor(word / 16)) && !isPadding;
  };
  const expected = all.map((value, word) => {
    const scale = word - scalesAtBytes / 4;
    return (scale < 0 ? hasCodes(word) : isOf(scale)) ? value : poison;
  });
  expect([...new Uint32Array(got.buffer)]).toEqual([...expected]);
});

it("the reference's error is at most half a scale, its scales within bf16's rounding of max / 127", () => {
  const { values } = toBf16(randomNormal(3200, 11));
  const { values: got, scales } = quantizeInt8Reference(values);
  scales.forEach((scale, block) => {
    const weights = values.slice(32 * block, 32 * block + 32);
    const greatest = Math.max(...weights.map(Math.abs));
    expect(Math.abs((scale * 127) / greatest - 1)).toBeLessThanOrEqual(2 ** -8);
    weights.forEach((weight, i) => {
      expect(Math.abs((got[32 * block + i] ?? Number.NaN) - weight)).toBeLessThanOrEqual(scale / 2);
    });
  });
});
