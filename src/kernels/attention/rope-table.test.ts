import { describe, expect, it } from "vitest";
import type { RopeConfig } from "../../format/types.ts";
import { yarnConcentration, yarnInverseFrequencies, yarnRopeTable } from "./rope-table.ts";

/** The rotary parameters of gpt-oss-20b and 120b. */
const gptOss: RopeConfig = {
  theta: 150000,
  factor: 32,
  betaFast: 32,
  betaSlow: 1,
  truncate: false,
  originalMaxPositionEmbeddings: 4096,
};

const goldenFrequencies = [
  1.0, 0.6890443058881633, 0.4747820554769007, 0.3271458718642365, 0.2254180002028708, 0.15532298948448497,
  0.10702442147781144, 0.07374456821026082, 0.050813274815461475, 0.03170569618466377, 0.019335001126540362,
  0.011592049256286924, 0.006794959489732219, 0.0038603593171920685, 0.0020937923789696887,
  0.0010526021013863359, 0.00045648391922324086, 0.00012931870124506317, 3.8308812373753384e-5,
  2.6396469031472782e-5, 1.818833668168956e-5, 1.2532569824095001e-5, 8.63549587543848e-6,
  5.950239261491605e-6, 4.0999784818029795e-6, 2.8250668271503398e-6, 1.9465962110014815e-6,
  1.3412910350540445e-6, 9.242089502428301e-7, 6.36820914615699e-7, 4.387978250864396e-7,
  3.0235114281192144e-7,
];

describe("yarnInverseFrequencies", () => {
  it("matches the golden frequencies of gpt-oss", () => {
    const got = yarnInverseFrequencies(gptOss, 64);
    expect(got.length).toBe(32);
    for (const [pair, want] of goldenFrequencies.entries())
      expect(Math.abs((got[pair] ?? Number.NaN) / want - 1), `pair ${pair}`).toBeLessThan(1e-12);
  });

  it("rounds the ramp outwards to pairs 8 and 18 where truncate is set", () => {
    const exact = yarnInverseFrequencies(gptOss, 64);
    const rounded = yarnInverseFrequencies({ ...gptOss, truncate: true }, 64);
    const plain = (pair: number): number => 150000 ** (-pair / 32);
    expect(rounded[8]).toBeCloseTo(plain(8), 15);
    expect(rounded[18]).toBeCloseTo(plain(18) / 32, 15);
    expect(rounded[9]).toBeCloseTo(plain(9) * (0.9 + 0.1 / 32), 15);
    expect(rounded[9]).not.toBeCloseTo(exact[9] ?? 0, 5);
  });

  it("clamps a ramp that would leave the head, and survives an empty one", () => {
    const short = yarnInverseFrequencies({ ...gptOss, originalMaxPositionEmbeddings: 4 }, 32);
    expect(short[0]).toBeGreaterThan(0);
    const empty = yarnInverseFrequencies({ ...gptOss, betaFast: 4, betaSlow: 4 }, 64);
    expect([...empty].every((frequency) => Number.isFinite(frequency) && frequency > 0)).toBe(true);
  });

  it("is plain rotary embedding where factor is 1", () => {
    const got = yarnInverseFrequencies({ ...gptOss, factor: 1 }, 64);
    for (const [pair, frequency] of got.entries()) expect(frequency).toBeCloseTo(150000 ** (-pair / 32), 15);
  });
});

describe("yarnRopeTable", () => {
  it("has the concentration of gpt-oss, and none without stretching", () => {
    expect(yarnConcentration(32)).toBeCloseTo(1.3465735902799727, 15);
    expect(yarnConcentration(1)).toBe(1);
  });

  it("holds (cos, sin) times the concentration, positions first", () => {
    const table = yarnRopeTable(gptOss, 64, 5001);
    expect(table.length).toBe(5001 * 64);
    expect([...table.slice(0, 4)]).toEqual([
      Math.fround(1.3465735902799727),
      0,
      Math.fround(1.3465735902799727),
      0,
    ]);
    const at = 5000 * 64 + 2 * 3;
    expect(table[at]).toBeCloseTo(1.3465735902799727 * Math.cos(5000 * 0.3271458718642365), 6);
    expect(table[at + 1]).toBeCloseTo(1.3465735902799727 * Math.sin(5000 * 0.3271458718642365), 6);
  });

  it("keeps angles exact at the end of the context", () => {
    const table = yarnRopeTable(gptOss, 64, 131072);
    expect(table[131071 * 64]).toBeCloseTo(1.3465735902799727 * Math.cos(131071), 6);
  });
});
