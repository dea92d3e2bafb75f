// quantize-int8: codes and scales are the reference's, bit for bit.
import { expect, it } from "vitest";
import { randomNormal, toBf16 } from "../../testing/data.ts";
import { packInt8 } from "../../testing/dense.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { int8Layout } from "./dense.ts";
import { quantizeInt8Reference } from "./quantize-int8.reference.ts";
import { packInt8Piece, quantizeInt8, quantizeInt8Grid } from "./quantize-int8.ts";

/** Quantises a piece of a matrix of `numBlocks` blocks whose bytes start poisoned. */
async function quantize(weights: Uint16Array, firstBlock: number, numBlocks: number): Promise<Uint8Array> {
  const { scalesAtBytes, sizeBytes } = int8Layout(numBlocks * 32);
  const pieceBlocks = weights.length / 32;
  const { matrix } = await runKernel(await testGpu(), {
    kernel: quantizeInt8,
    shape: {},
    variant: "workgroup",
    step: packInt8Piece({ firstBlock, numBlocks: pieceBlocks, scalesAtBytes }).buffer,
    inputs: { weights },
    outputs: { matrix: sizeBytes },
    grid: quantizeInt8Grid(pieceBlocks),
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

it.each(cases)("quantize-int8 gives the reference's bits: %s", async (_, numbers) => {
  const { bits, values } = toBf16(numbers);
  const { codes, scales } = quantizeInt8Reference(values);
  const expected = packInt8(codes, scales);
  const numBlocks = values.length / 32;
  const got = await quantize(bits, 0, numBlocks);
  const usedBytes = numBlocks * 34;
  expect(expected.some((byte) => byte !== 0)).toBe(true);
  expect(Buffer.compare(got.subarray(0, usedBytes), expected.subarray(0, usedBytes))).toBe(0);
});

it("quantize-int8 writes its piece alone", async () => {
  const { bits, values } = toBf16(randomNormal(4 * 32, 10));
  const { codes, scales } = quantizeInt8Reference(values);
  const got = await quantize(bits, 6, 12);
  const words = new Uint32Array(got.buffer);
  const packed = new Uint32Array(packInt8(codes, scales).buffer);
  expect([...words.slice(0, 48)]).toEqual(Array(48).fill(poison));
  expect(words.slice(48, 80)).toEqual(packed.slice(0, 32));
  expect([...words.slice(80, 99)]).toEqual(Array(19).fill(poison)); // the other codes, and six scales
  expect(words.slice(99, 101)).toEqual(packed.slice(32, 34));
  expect(words[101]).toBe(poison);
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
