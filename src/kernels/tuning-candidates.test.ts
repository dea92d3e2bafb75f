import { describe, expect, it } from "vitest";
import { defaultTuning, matrixTuning } from "./tuning.ts";
import {
  knownTuning,
  overrideTuning,
  tuningCandidates,
  tuningKeys,
  tuningsToTry,
} from "./tuning-candidates.ts";

describe("candidates", () => {
  it("differ from the base in one row each, and are few", () => {
    expect(new Set(tuningKeys)).toEqual(new Set(Object.keys(defaultTuning)));
    const tried = tuningsToTry(defaultTuning);
    expect(new Set(tried.map(({ key }) => key))).toEqual(new Set(tuningKeys));
    // A plan has dense weights in one format, and leaves the other's rows unread.
    for (const unread of [/Int8$/, /^(linearVec|lmHead|qkv)$/])
      expect(tried.filter(({ key }) => !unread.test(key)).length).toBeLessThanOrEqual(24);
    for (const { key, tuning } of tried) {
      const changed = tuningKeys.filter(
        (row) => JSON.stringify(tuning[row]) !== JSON.stringify(defaultTuning[row]),
      );
      expect(changed).toEqual([key]);
    }
  });

  it("can be forced and remembered", () => {
    for (const { key, tuning } of tuningsToTry(defaultTuning)) {
      expect(overrideTuning(defaultTuning, { [key]: tuning[key] })).toEqual(tuning);
      expect(knownTuning(defaultTuning, JSON.parse(JSON.stringify(tuning)))).toEqual(tuning);
    }
  });

  it("come in rounds: the first of every row before the second of any", () => {
    const keys = tuningsToTry(defaultTuning).map(({ key }) => key);
    expect(keys.slice(0, tuningKeys.length)).toEqual(tuningKeys);
    for (const key of tuningKeys) {
      const rows = tuningCandidates(defaultTuning)[key].map((row) => JSON.stringify(row));
      expect(new Set(rows).size).toBe(rows.length);
    }
  });
});

describe("what was remembered", () => {
  const { products: _, ...tileOfNoProducts } = defaultTuning.moeTile;
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["no object", 8],
    ["null", null],
    ["no rows", {}],
    ["one row", { gateUpVec: defaultTuning.gateUpVec }],
    ["rows without sizes", { ...defaultTuning, qkv: null }],
    ["sizes that were never measured", { ...defaultTuning, gateUpVec: { rows: 1, workgroupSize: 32 } }],
    [
      "more rows than a workgroup has sums for",
      { ...defaultTuning, downVec: { rows: 64, workgroupSize: 32 } },
    ],
    ["a size too many", { ...defaultTuning, qkv: { workgroupSize: 64, rows: 4 } }],
    ["a size too few", { ...defaultTuning, moeTile: tileOfNoProducts }],
    [
      "a tile of no products",
      { ...defaultTuning, linearTile: { ...defaultTuning.linearTile, products: "" } },
    ],
    ["matrices where there are none", matrixTuning],
  ])("is no tuning where it is %s", (_, remembered) => {
    expect(knownTuning(defaultTuning, remembered)).toBeUndefined();
  });

  it("may have more rows than a tuning has today", () => {
    const { products } = matrixTuning.moeTile;
    expect(knownTuning(matrixTuning, { ...matrixTuning, old: { rows: 1 } })?.moeTile.products).toBe(products);
  });
});

describe("overrides", () => {
  it("replace what they name", () => {
    const tuning = overrideTuning(defaultTuning, { gateUpVec: { rows: 8 } });
    expect(tuning).toEqual({ ...defaultTuning, gateUpVec: { ...defaultTuning.gateUpVec, rows: 8 } });
    expect(overrideTuning(defaultTuning, {})).toEqual(defaultTuning);
  });

  it.each<[string, unknown, RegExp]>([
    ["a row that is none", { vec: { rows: 8 } }, /"vec" is none of linearVec, /],
    ["a size that is none", { qkv: { rows: 8 } }, /"qkv.rows" is none of workgroupSize/],
    ["a size that no kernel takes", { gateUpVec: { rows: 3 } }, /gateUpVec.rows cannot be 3/],
    ["a word for a size", { gateUpVec: { rows: "8" } }, /gateUpVec.rows cannot be "8"/],
    ["no object", 8, /must be an object of sizes, got 8/],
    ["a row without sizes", { gateUpVec: null }, /gateUpVec must be an object/],
  ])("refuse %s", (_, overrides, sentence) => {
    expect(() => overrideTuning(defaultTuning, overrides)).toThrow(sentence);
  });
});
