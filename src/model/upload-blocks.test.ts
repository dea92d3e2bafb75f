import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/data.ts";
import { planBlocks, stagingSlackBytes } from "./upload-blocks.ts";
import type { TensorPlacement } from "./weights.ts";

const placement = (file: string, startBytes: number, endBytes: number, more = {}): TensorPlacement => ({
  tensor: { name: `${file} ${startBytes}`, file, startBytes, endBytes },
  buffer: {} as GPUBuffer,
  offsetBytes: 0,
  transpose: undefined,
  ...more,
});

const ranges = (placements: readonly TensorPlacement[], blockBytes: number) =>
  planBlocks(placements, blockBytes).map(({ file, startBytes, endBytes }) => [file, startBytes, endBytes]);

describe("planBlocks", () => {
  it("reads each aligned stretch of a file once, whatever tensors lie in it", () => {
    const tensors = [placement("a", 104, 3000), placement("a", 3000, 3004), placement("a", 40, 104)];
    expect(ranges(tensors, 1024)).toEqual([
      ["a", 40, 1024],
      ["a", 1024, 2048],
      ["a", 2048, 3004],
    ]);
    expect(planBlocks(tensors, 1024).map(({ segments }) => segments.length)).toEqual([2, 1, 2]);
    expect(planBlocks(tensors, 1024).every(({ isDirect }) => isDirect)).toBe(true);
  });

  it("does not join files, nor what is not side by side", () => {
    const tensors = [placement("b", 0, 8), placement("a", 0, 8), placement("a", 12, 16)];
    expect(ranges(tensors, 1024)).toEqual([
      ["a", 0, 8],
      ["a", 12, 16],
      ["b", 0, 8],
    ]);
  });

  it("keeps matrices that are transposed by themselves", () => {
    const transpose = { count: 3, rows: 4, columns: 8 };
    const tensors = [placement("a", 0, 8), placement("a", 8, 200, { transpose }), placement("a", 200, 208)];
    expect(ranges(tensors, 1024)).toEqual([
      ["a", 0, 8],
      ["a", 8, 72],
      ["a", 72, 136],
      ["a", 136, 200],
      ["a", 200, 208],
    ]);
  });

  it.each([
    { where: "between groups", columns: 64 * 101, unit: 128 },
    { where: "between rows that end with half a group", columns: 32 * 3, unit: 192 },
  ])("cuts what is to be int8 $where, wherever it starts", ({ columns, unit }) => {
    const int8 = { columns, scalesAtBytes: 0 };
    for (const start of [0, 2, 64, 1001]) {
      const blocks = planBlocks([placement("a", start, start + unit * 101, { int8 })], 1024);
      expect(blocks.length).toBeGreaterThan(6);
      const segments = blocks.flatMap((block) => block.segments);
      expect(segments.map(({ startBytes }) => startBytes % unit)).toEqual(segments.map(() => 0));
      expect(segments.map(({ endBytes }) => endBytes)).toEqual([
        ...segments.slice(1).map(({ startBytes }) => startBytes),
        unit * 101,
      ]);
      for (const { stagedBytes } of blocks) expect(stagedBytes).toBeLessThanOrEqual(1024 + stagingSlackBytes);
    }
  });

  it("covers every byte once, with cuts that the GPU can take, for any sizes", () => {
    const random = seededRandom(3);
    for (let round = 0; round < 300; round += 1) {
      const blockBytes = 64 + 4 * Math.floor(random() * 40);
      const tensors: TensorPlacement[] = [];
      let at = Math.floor(random() * 100);
      for (let i = 0; i < 12; i += 1) {
        const sizeBytes = 1 + Math.floor(random() * 300);
        tensors.push(placement("a", at, at + sizeBytes));
        at += sizeBytes + (random() < 0.2 ? 3 : 0);
      }
      const seen = new Map<string, number>();
      for (const block of planBlocks(tensors, blockBytes)) {
        expect(block.stagedBytes).toBeLessThanOrEqual(blockBytes + stagingSlackBytes);
        let next = block.startBytes;
        for (const { placement: p, startBytes, endBytes, stagedBytes } of block.segments) {
          expect(p.tensor.startBytes + startBytes).toBe(next);
          expect([startBytes % 4, stagedBytes % 4, seen.get(p.tensor.name) ?? 0]).toEqual([0, 0, startBytes]);
          seen.set(p.tensor.name, endBytes);
          next = p.tensor.startBytes + endBytes;
        }
        expect(next).toBe(block.endBytes);
      }
      for (const { tensor } of tensors)
        expect(seen.get(tensor.name) ?? 0).toBe(tensor.endBytes - tensor.startBytes);
    }
  });
});
