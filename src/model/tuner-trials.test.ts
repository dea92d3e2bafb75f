import { describe, expect, it } from "vitest";
import { createShapeFiles } from "../bench/shapes.ts";
import { defaultTuning, type KernelTuning, matrixTuning } from "../kernels/tuning.ts";
import { type TuningKey, tunedKernels, tuningKeys, tuningsToTry } from "../kernels/tuning-candidates.ts";
import { dryPlan } from "../testing/dry-plan.ts";
import { fastestOf, roundOf } from "./tuner.ts";
import { affordableTrials, mostModules, type TunerInput, tunedTexts } from "./tuner-trials.ts";

/** A layer of each type. */
const files = createShapeFiles("20b", 2);
const bases = { f32: defaultTuning, matrices: matrixTuning };
const formats = ["bf16", "int8"] as const;

async function inputOf(dense: "bf16" | "int8", tuning: KernelTuning) {
  const hasMatrices = tuning.moeTile.products === "matrix";
  const dry = await dryPlan(files, { dense }, { hasMatrices });
  const { gpu, weights, config, planOptions, activations } = dry;
  expect(planOptions.tuning).toEqual(tuning);
  const input: TunerInput = { weights, config, options: { ...planOptions, mxfp4: "half" } };
  return { gpu, input, activations, modules: dry.modules };
}

describe("the kernels of a row", () => {
  it("are those whose text some candidate changes", async () => {
    const changed = new Map<TuningKey, Set<string>>(tuningKeys.map((key) => [key, new Set()]));
    // Rows of int8 kernels are read by models of int8 alone, and matrices are only another way to make tiles.
    const ways = [
      { dense: "bf16", base: defaultTuning, rows: /^(?!.*Int8$)/ },
      { dense: "int8", base: defaultTuning, rows: /Int8$/ },
      { dense: "bf16", base: matrixTuning, rows: /Tile$/ },
    ] as const;
    for (const { dense, base, rows } of ways) {
      const adapter = { hasMatrices: base === matrixTuning };
      const { modules } = await dryPlan(files, { dense }, adapter);
      for (const { key, tuning } of tuningsToTry(base).filter((trial) => rows.test(trial.key))) {
        const other = await dryPlan(files, { dense, tuning }, adapter);
        for (const [code, id] of other.modules) if (!modules.has(code)) changed.get(key)?.add(id);
      }
    }
    for (const key of tuningKeys) expect([key, changed.get(key)]).toEqual([key, new Set(tunedKernels[key])]);
  });

  it("are all part of the version of what was measured", async () => {
    const { gpu, input } = await inputOf("bf16", defaultTuning);
    const texts = await tunedTexts(gpu, input);
    for (const kernel of Object.values(tunedKernels).flat())
      expect(texts.some((text) => text.includes(`// ${kernel}: `))).toBe(true);
  });
});

describe("what a first load tries", () => {
  it.each(formats.flatMap((dense) => Object.entries(bases).map(([name, base]) => ({ dense, name, base }))))(
    "with the plan that it ends with makes at most 40 modules: $dense, $name",
    async ({ dense, base }) => {
      const { gpu, input, modules } = await inputOf(dense, base);
      const trials = await affordableTrials(gpu, input);
      const all = new Set(modules.keys());
      const adapter = { hasMatrices: base === matrixTuning };
      // The winners of all rows together, whichever they are, make no further text.
      const rows = trials.map(({ key, tuning }) => ({ [key]: tuning[key] }));
      for (const tuning of [...rows, Object.assign({}, ...rows)])
        for (const code of (await dryPlan(files, { dense, tuning }, adapter)).modules.keys()) all.add(code);
      // Beside them: the tests of subgroups, of MXFP4 and of matrices, and the quantizer.
      const besides = 2 + (adapter.hasMatrices ? 1 : 0) + (dense === "int8" ? 1 : 0);
      expect(all.size + besides).toBeLessThanOrEqual(mostModules);
      // Every row that the model reads has one candidate or more.
      const unread = dense === "int8" ? /^(linearVec|lmHead|qkv|linearTile)$/ : /Int8$/;
      expect(new Set(trials.map(({ key }) => key))).toEqual(
        new Set(tuningKeys.filter((key) => !unread.test(key))),
      );
    },
  );
});

describe("a round of experts' tiles", () => {
  it.each(Object.entries(bases))("begins with the kernel that lays the tiles out: %s", async (_, base) => {
    const { gpu, input, activations } = await inputOf("bf16", base);
    const tried = tuningsToTry(base).filter(({ key }) => key === "moeTile");
    for (const { tuning } of [{ tuning: base }, ...tried]) {
      const { steps, numTokens } = await roundOf(gpu, input, activations, "moeTile", tuning);
      expect(steps.map(({ pipeline }) => pipeline.id)).toEqual(tunedKernels.moeTile);
      expect(numTokens).toEqual([1024, 32]);
    }
  });
});

describe("the row that is taken", () => {
  it.each<[string, number[], (number[] | undefined)[], number | undefined]>([
    ["is the fastest", [10], [[9], [8], [8.5]], 1],
    ["is none that may be as fast as the base", [10], [[9.8], [10]], undefined],
    ["is none that was not measured", [10], [undefined, [9]], 1],
    [
      "is none that is slower with a short prompt",
      [10, 1],
      [
        [7, 1.2],
        [9, 1.02],
      ],
      1,
    ],
    ["is none where all are slower with a short prompt", [10, 1], [[7, 1.2]], undefined],
  ])("%s", (_, base, candidates, taken) => {
    expect(fastestOf(base, candidates)).toBe(taken);
  });
});
