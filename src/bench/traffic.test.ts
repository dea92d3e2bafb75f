// What a step must read and compute, against the sums that follow from the published shapes by hand.
import { describe, expect, it } from "vitest";
import { type DryPlan, dryPlan } from "../testing/dry-plan.ts";
import { createSyntheticFiles, type SyntheticShape, syntheticConfig } from "./synthetic-files.ts";
import { addTraffic, createTrafficMeter } from "./traffic.ts";

const planOf = (shape: SyntheticShape, kvFormat: "f32" | "f16" = "f32", dense: "bf16" | "int8" = "bf16") =>
  dryPlan(createSyntheticFiles(syntheticConfig(shape), shape), { kvFormat, dense, contextLength: 16_384 });

describe("bytes of a decoded token", () => {
  it.each<[SyntheticShape, "bf16" | "int8", number]>([
    ["20b", "bf16", 3.708e9],
    ["120b", "bf16", 5.003e9],
    ["20b", "int8", 2.568e9],
    ["120b", "int8", 3.564e9],
  ])("%s: dense weights in %s and four experts a layer", async (shape, dense, published) => {
    const meter = createTrafficMeter(await planOf(shape, "f32", dense));
    const bytes = meter.decodeBytes(0);
    expect(Math.abs(bytes / published - 1)).toBeLessThan(2e-3);
  });

  it("grow with the context by what full layers see, and by sliding ones up to the window", async () => {
    const meter = createTrafficMeter(await planOf("20b", "f16"));
    const kv = (keys: number) => meter.decodeBytes(keys) - meter.decodeBytes(0);
    const keyAndValue = 2 * 8 * 64 * 2;
    expect(kv(100)).toBe(24 * 100 * keyAndValue);
    expect(kv(8192)).toBe(12 * (8192 + 128) * keyAndValue);
  });
});

describe("traffic of a pass's steps", () => {
  const total = ({ plan }: DryPlan, steps: keyof DryPlan["plan"] & ("decode" | "prefill"), dry: DryPlan) => {
    const meter = createTrafficMeter(dry);
    const run = steps === "decode" ? { numTokens: 1, maxKeys: 1000 } : { numTokens: 512, maxKeys: 512 };
    const all = [...plan[steps], ...plan.head];
    return all.map((step) => meter.ofStep(step, run)).reduce(addTraffic);
  };

  it("of a decode step is what the token must read, each weight once", async () => {
    const dry = await planOf("20b");
    const { bytes, operations } = total(dry, "decode", dry);
    const sinksBoundTwice = 12 * 64 * 2; // by attention in shares, and by their merge
    expect(bytes).toBe(createTrafficMeter(dry).decodeBytes(1000) + sinksBoundTwice);
    // 3.6e9 parameters are active, of which the embedding makes no products; attention adds 4 a key, head and element.
    const attention = 4 * 64 * 64 * 12 * (1000 + 128);
    const perLayer = 2880 * (5120 + 4096 + 32) + 4 * 3 * 2880 * 2880;
    expect(operations / (2 * (24 * perLayer + 201088 * 2880) + attention)).toBeCloseTo(1, 9);
  });

  it("of a prompt reads every weight once and multiplies it by every token", async () => {
    const dry = await planOf("20b");
    const { bytes, operations } = total(dry, "prefill", dry);
    expect(bytes / 12.6e9).toBeCloseTo(1, 1);
    const perLayer = 2880 * (5120 + 4096 + 32) + 4 * 3 * 2880 * 2880;
    const full = (512 * 513) / 2;
    const sliding = full - (384 * 385) / 2;
    const attention = 4 * 64 * 64 * 12 * (full + sliding);
    expect(operations / (2 * (512 * 24 * perLayer + 201088 * 2880) + attention)).toBeCloseTo(1, 9);
  });
});

it.each<SyntheticShape>(["20b", "120b"])("a plan of %s has at most 40 shader modules", async (shape) => {
  const { modules } = await planOf(shape);
  expect(modules.size).toBeGreaterThan(15);
  expect(modules.size).toBeLessThanOrEqual(40);
});
