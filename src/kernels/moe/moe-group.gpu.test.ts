import { describe, expect, it } from "vitest";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { packStep, stepWords } from "../step.ts";
import { defaultTuning } from "../tuning.ts";
import { type MoeCase, randomRouting, routingCases } from "./moe.cases.ts";
import { moeGroupReference } from "./moe-group.reference.ts";
import { moeGroup, moeGroupGrid } from "./moe-group.ts";
import { moeTileLimit, moeTileScratchBytes } from "./moe-tile.ts";

interface Groups {
  readonly entries: number[];
  readonly offsets: number[];
  readonly tiles: number[];
}

async function group(
  moeCase: MoeCase,
  ids: Uint32Array,
  step: ArrayBuffer,
  spareTokens = 0,
): Promise<Groups> {
  const bytes = moeTileScratchBytes(moeCase, moeCase.numTokens + spareTokens);
  const out = await runKernel(await testGpu(), {
    kernel: moeGroup,
    shape: moeCase,
    variant: "workgroup", // the kernel uses no reduction library: one text for both variants
    step,
    inputs: { ids },
    outputs: { entries: bytes.entries, offsets: bytes.offsets, tiles: bytes.tiles },
    grid: moeGroupGrid,
  });
  const words = (buffer: ArrayBuffer) => [...new Uint32Array(buffer)];
  return { entries: words(out.entries), offsets: words(out.offsets), tiles: words(out.tiles) };
}

const stepOf = (numTokens: number) => packStep({ position: 0, numTokens });

describe("moe-group", () => {
  it.each(routingCases)("matches the reference: $name", async (moeCase) => {
    const { ids } = randomRouting(moeCase, 3);
    const expected = moeGroupReference(ids, moeCase.numExperts, defaultTuning.moeTile.tileTokens);
    const got = await group(moeCase, ids, stepOf(moeCase.numTokens));
    expect(got.offsets).toEqual(expected.offsets);
    expect(got.entries).toEqual(expected.entries);
    const used = expected.tiles.flatMap((tile) => [...tile, 0]);
    const limit = moeTileLimit(moeCase, moeCase.numTokens);
    expect(expected.tiles.length).toBeLessThanOrEqual(limit);
    expect(got.tiles).toEqual([...used, ...Array(4 * limit - used.length).fill(0)]);
  });

  it("needs exactly the tile limit where each expert leaves a tile of one entry", async () => {
    // Counts 1, 1, 33: four tiles for 35 entries of three experts.
    const moeCase = {
      name: "worst",
      hiddenSize: 32,
      expertWidth: 32,
      numExperts: 3,
      expertsPerToken: 1,
      numTokens: 35,
    };
    const ids = Uint32Array.from({ length: 35 }, (_, t) => (t < 2 ? t : 2));
    expect(moeTileLimit(moeCase, 35)).toBe(4);
    const got = await group(moeCase, ids, stepOf(35));
    expect(got.tiles).toEqual([0, 0, 1, 0, 1, 1, 1, 0, 2, 2, 32, 0, 2, 34, 1, 0]);
  });

  it("writes nothing for tokens beyond num_tokens, and nothing at all once stopped", async () => {
    const moeCase = {
      name: "spare",
      hiddenSize: 32,
      expertWidth: 32,
      numExperts: 5,
      expertsPerToken: 2,
      numTokens: 3,
    };
    const { ids } = randomRouting({ ...moeCase, numTokens: 5 }, 3);
    const step = stepOf(3);
    const some = await group(moeCase, ids, step, 2);
    expect(some.entries.slice(0, 6).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(some.entries.slice(6)).toEqual(Array(4).fill(poison));
    expect(some.offsets[5]).toBe(6);
    new Uint32Array(step)[stepWords.stopped] = 1;
    const none = await group(moeCase, ids, step, 2);
    expect(new Set([...none.entries, ...none.offsets, ...none.tiles])).toEqual(new Set([poison]));
  });
});
