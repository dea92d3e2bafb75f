import { EngineError } from "../errors.ts";
import type { KernelTuning, TileTuning, VecTuning } from "./tuning.ts";

export type TuningKey = keyof KernelTuning;

/** Some of a tuning's sizes: what is left out stays as it is. */
export type TuningOverrides = { readonly [Key in TuningKey]?: Partial<KernelTuning[Key]> };

/** Values to be tried for each row of a tuning. Every one is right for every shape; the tests run each. */
export type TuningCandidates = { readonly [Key in TuningKey]: readonly KernelTuning[Key][] };

const vec = (...sizes: readonly (readonly [rows: number, workgroupSize: number])[]): VecTuning[] =>
  sizes.map(([rows, workgroupSize]) => ({ rows, workgroupSize }));

type TileSizes = readonly [tokens: number, rows: number, threads: number];

/** Tiles by products: a subgroup of 32 makes 32 tokens by 64 rows by matrices, any number of invocations make others. */
const tileSizes: Readonly<Record<TileTuning["products"], readonly TileSizes[]>> = {
  f32: [
    [32, 64, 64],
    [64, 64, 64],
    [64, 64, 128],
  ],
  matrix: [
    [64, 64, 64],
    [64, 128, 128],
    [64, 256, 256],
  ],
};

const tiles = ({ products }: TileTuning): TileTuning[] =>
  tileSizes[products].map(([tileTokens, tileRows, tileThreads]) => ({
    ...{ tileTokens, tileRows, tileThreads, products },
  }));

/** The candidates beside a base, which is always one. Few, since each has to be compiled: what differs most on known GPUs. */
export const tuningCandidates = (base: KernelTuning): TuningCandidates => ({
  linearVec: vec([2, 128], [4, 64], [4, 128], [8, 128]),
  linearVecInt8: vec([2, 64], [2, 128], [4, 64], [4, 128], [8, 128]),
  lmHead: vec([2, 64], [4, 64], [4, 128], [8, 64]),
  lmHeadInt8: vec([4, 32], [4, 64], [8, 32], [8, 64]),
  qkv: [{ workgroupSize: 64 }, { workgroupSize: 128 }, { workgroupSize: 256 }],
  qkvInt8: [{ workgroupSize: 64 }, { workgroupSize: 96 }, { workgroupSize: 128 }],
  gateUpVec: vec([4, 32], [8, 32], [8, 64], [8, 96], [16, 96]),
  downVec: vec([4, 64], [4, 128], [4, 192], [8, 128], [8, 192]),
  linearTile: tiles(base.linearTile),
  moeTile: tiles(base.moeTile),
});

/** The keys of a tuning, in the order in which they are measured. */
export const tuningKeys = (tuning: KernelTuning): TuningKey[] => Object.keys(tuning) as TuningKey[];

/** `base` with one row replaced. */
export const withRow = <Key extends TuningKey>(
  base: KernelTuning,
  key: Key,
  row: KernelTuning[Key],
): KernelTuning => ({ ...base, [key]: row });

/** One candidate at a time beside the base: every tuning that a measurement compares. */
export function tuningsToTry(
  base: KernelTuning,
): { readonly key: TuningKey; readonly tuning: KernelTuning }[] {
  const candidates = tuningCandidates(base);
  return tuningKeys(base).flatMap((key) =>
    candidates[key]
      .filter((row) => JSON.stringify(row) !== JSON.stringify(base[key]))
      .map((row) => ({ key, tuning: { ...base, [key]: row } })),
  );
}

/**
 * `base` with sizes from outside: an option, or what was remembered.
 * @throws request-invalid naming what is no size of a tuning
 */
export function overrideTuning(base: KernelTuning, overrides: unknown): KernelTuning {
  const rows: Record<string, Record<string, unknown>> = { ...base } as never;
  for (const [key, fields] of entriesOf(overrides, "the tuning")) {
    const row = rows[key];
    if (row === undefined) throw invalid(`"${key}" is none of ${Object.keys(base).join(", ")}`);
    for (const [field, value] of entriesOf(fields, key)) {
      const known = row[field];
      if (known === undefined) throw invalid(`"${key}.${field}" is none of ${Object.keys(row).join(", ")}`);
      if (!fits(value, known)) throw invalid(`${key}.${field} cannot be ${JSON.stringify(value)}`);
      rows[key] = { ...rows[key], [field]: value };
    }
  }
  return rows as unknown as KernelTuning;
}

/** Sizes are powers of two; whatever else a row holds is a word. */
const fits = (value: unknown, known: unknown): boolean =>
  typeof known === "number"
    ? typeof value === "number" && [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256].includes(value)
    : typeof value === typeof known;

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw invalid(`${what} must be an object of sizes, got ${JSON.stringify(value)}`);
}

const invalid = (problem: string) =>
  new EngineError("request-invalid", `The kernels cannot be tuned so: ${problem}.`);
