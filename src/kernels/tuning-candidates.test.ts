import { describe, expect, it } from "vitest";
import { defaultTuning } from "./tuning.ts";
import { overrideTuning, tuningKeys, tuningsToTry } from "./tuning-candidates.ts";

describe("candidates", () => {
  it("differ from the base in one row each, and are few", () => {
    const tried = tuningsToTry(defaultTuning);
    expect(new Set(tried.map(({ key }) => key))).toEqual(new Set(tuningKeys(defaultTuning)));
    // A plan has dense weights in one format, and leaves the other's rows unread.
    for (const unread of [/Int8$/, /^(linearVec|lmHead|qkv)$/])
      expect(tried.filter(({ key }) => !unread.test(key)).length).toBeLessThanOrEqual(24);
    for (const { key, tuning } of tried) {
      const changed = tuningKeys(defaultTuning).filter(
        (row) => JSON.stringify(tuning[row]) !== JSON.stringify(defaultTuning[row]),
      );
      expect(changed).toEqual([key]);
    }
  });

  it("can be forced and remembered", () => {
    for (const { key, tuning } of tuningsToTry(defaultTuning))
      expect(overrideTuning(defaultTuning, { [key]: tuning[key] })).toEqual(tuning);
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
