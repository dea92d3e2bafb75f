import { describe, expect, it } from "vitest";
import { tileBytes } from "./check-tuning.ts";
import { linearResidualVec } from "./linear/linear-residual-vec.ts";
import { linearTile } from "./linear/linear-tile.ts";
import { downCases, gateUpCases, moeShape, promptCases, routingCases } from "./moe/moe.cases.ts";
import { moeDownTile } from "./moe/moe-down-tile.ts";
import { moeDownVec } from "./moe/moe-down-vec.ts";
import { moeGateUpSwigluTile } from "./moe/moe-gate-up-swiglu-tile.ts";
import { moeGateUpSwigluVec } from "./moe/moe-gate-up-swiglu-vec.ts";
import { lmHeadVec } from "./sample/lm-head-vec.ts";
import { defaultTuning, matrixTuning, type TileKey, tileKeys } from "./tuning.ts";
import {
  knownTuning,
  matrixTuningFor,
  overrideTuning,
  tuningCandidates,
  tuningKeys,
  tuningsToTry,
} from "./tuning-candidates.ts";

const limits = (maxComputeWorkgroupStorageSize: number) => ({
  ...{ maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup: 256 },
});

describe("candidates", () => {
  it("differ from the base in one row each, and are few", () => {
    expect(new Set(tuningKeys)).toEqual(new Set(Object.keys(defaultTuning)));
    const tried = tuningsToTry(defaultTuning);
    expect(new Set(tried.map(({ key }) => key))).toEqual(new Set(tuningKeys));
    // A plan has dense weights in one format, and leaves the other's rows unread.
    for (const unread of [/Int8$/, /^(linearVec|lmHead|qkv|linearTile)$/])
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

describe("a candidate", () => {
  // Every shape that the kernels are tested on, and the published ones.
  const published = [
    { hiddenSize: 2880, expertWidth: 2880, numExperts: 32, expertsPerToken: 4 },
    { hiddenSize: 2880, expertWidth: 2880, numExperts: 128, expertsPerToken: 4 },
  ];
  const cases = [...gateUpCases, ...downCases, ...promptCases, ...routingCases];
  const shapes = [...published.map((sizes) => ({ name: "", numTokens: 1, ...sizes })), ...cases];

  it.each([
    ["f32", defaultTuning],
    ["matrix", matrixTuning],
  ] as const)("breaks no rule of a kernel for any shape (%s)", (_, base) => {
    for (const tuning of [base, ...tuningsToTry(base).map((tried) => tried.tuning)]) {
      for (const sizes of shapes) {
        const moe = { ...moeShape(sizes, "mxfp4"), tuning };
        const dense = { inputSize: sizes.hiddenSize, outputSize: 67, vocabSize: 201, eps: 0, tuning };
        expect([
          ...(moeGateUpSwigluVec.check?.(moe) ?? []),
          ...(moeDownVec.check?.(moe) ?? []),
          ...(moeGateUpSwigluTile.check?.(moe) ?? []),
          ...(moeDownTile.check?.(moe) ?? []),
          ...(["bf16", "int8"] as const).flatMap((format) => [
            ...(linearResidualVec.check?.({ ...dense, dense: format }) ?? []),
            ...(linearTile.check?.({ ...dense, dense: format, addBias: true, addToOut: true }) ?? []),
            ...(lmHeadVec.check?.({ ...dense, dense: format, hiddenSize: dense.inputSize }) ?? []),
          ]),
        ]).toEqual([]);
      }
    }
  });

  it("is a tile that workgroups have the memory for", () => {
    const rows = (bytes: number, row: TileKey = "moeTile") =>
      tuningsToTry(matrixTuning, limits(bytes)).flatMap(({ key, tuning }) =>
        key === row ? [tuning[row].tileRows] : [],
      );
    expect(rows(49152, "linearTile")).toEqual([128, 64]); // and the base's 256
    expect(rows(49152, "linearTileInt8")).toEqual([64]);
    expect(rows(27135, "linearTileInt8")).toEqual([]);
    expect(rows(49152)).toEqual([128, 64]); // and the base's 256
    expect(rows(47103)).toEqual([128, 64]);
    expect(rows(29695)).toEqual([64]);
    const base = matrixTuningFor(limits(29696));
    if (base === undefined) throw new Error("a tile of 128 rows fits");
    expect(knownTuning(base, { ...base, moeTile: matrixTuning.moeTile }, limits(29696))).toBeUndefined();
    expect(knownTuning(base, base, limits(29696))).toEqual(base);
  });
});

describe("tiles of subgroup matrices", () => {
  const sizes = (bytes: number) => {
    const tuning = matrixTuningFor(limits(bytes));
    return tuning && tileKeys.map((key) => (tuning[key].products === "f32" ? "f32" : tuning[key].tileRows));
  };

  it("are the largest that fit into the memory of a workgroup", () => {
    expect(tileBytes("moeTile", matrixTuning.moeTile)).toBe(47104);
    expect(tileBytes("linearTileInt8", matrixTuning.linearTileInt8)).toBe(41984);
    expect(tileKeys).toEqual(["linearTile", "linearTileInt8", "moeTile"]);
    expect(sizes(47104)).toEqual([256, 128, 256]);
    expect(sizes(47103)).toEqual([128, 128, 128]);
    expect(sizes(41983)).toEqual([128, 64, 128]); // int8 has weights in two parts
    expect(sizes(32768)).toEqual([128, 64, 128]);
    expect(sizes(29695)).toEqual([64, 64, 64]);
    expect(sizes(27136)).toEqual([64, 64, 64]);
    expect(sizes(27135)).toEqual([64, "f32", 64]);
    expect(sizes(20992)).toEqual([64, "f32", 64]);
    expect(sizes(20991)).toBeUndefined();
    expect(sizes(16384)).toBeUndefined();
  });

  it("are no larger than a workgroup has invocations", () => {
    const tuning = matrixTuningFor({ ...limits(65536), maxComputeInvocationsPerWorkgroup: 128 });
    expect(tuning?.moeTile).toMatchObject({ tileRows: 128, tileThreads: 128 });
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
    [
      "a word that is no way to multiply",
      { moeTile: { products: "f16" } },
      /moeTile.products cannot be "f16"/,
    ],
    ["a word for a size", { gateUpVec: { rows: "8" } }, /gateUpVec.rows cannot be "8"/],
    ["no object", 8, /must be an object of sizes, got 8/],
    ["a row without sizes", { gateUpVec: null }, /gateUpVec must be an object/],
  ])("refuse %s", (_, overrides, sentence) => {
    expect(() => overrideTuning(defaultTuning, overrides)).toThrow(sentence);
  });
});
