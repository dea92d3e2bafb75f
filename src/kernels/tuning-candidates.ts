import { EngineError } from "../errors.ts";
import { fitsWorkgroup, type WorkgroupLimits } from "./check-tuning.ts";
import {
  defaultTuning,
  type KernelTuning,
  matrixTuning,
  type TileKey,
  type TileTuning,
  tileKeys,
  tileProductForms,
  type VecTuning,
} from "./tuning.ts";

export type TuningKey = keyof KernelTuning;

/** Some of a tuning's sizes: what is left out stays as it is. */
export type TuningOverrides = { readonly [Key in TuningKey]?: Partial<KernelTuning[Key]> };

/** Values to be tried for each row of a tuning. Every one is right for every shape; the tests run each. */
export type TuningCandidates = { readonly [Key in TuningKey]: readonly KernelTuning[Key][] };

const vec = (...sizes: readonly (readonly [rows: number, workgroupSize: number])[]): VecTuning[] =>
  sizes.map(([rows, workgroupSize]) => ({ rows, workgroupSize }));

type TileSizes = readonly [tokens: number, rows: number, threads: number];

/** Tiles by products (`checkTile`), the smallest first. */
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

/** Tiles for row `key` that fit `limits`; default: all. */
const tiles = (key: TileKey, products: TileTuning["products"], limits?: WorkgroupLimits): TileTuning[] =>
  tileSizes[products]
    .map(([tileTokens, tileRows, tileThreads]) => ({ tileTokens, tileRows, tileThreads, products }))
    .filter((tile) => limits === undefined || fitsWorkgroup(key, tile, limits));

/**
 * The sizes where the adapter has subgroup matrices (`Gpu.hasMatrices`): for each kind of tile what was measured best, or
 * the largest that fits, or f32 where none does; undefined where that is so for every kind.
 */
export function matrixTuningFor(limits: WorkgroupLimits): KernelTuning | undefined {
  const fitting = (key: TileKey): TileTuning => {
    const best = matrixTuning[key];
    if (fitsWorkgroup(key, best, limits)) return best;
    return tiles(key, "matrix", limits).at(-1) ?? defaultTuning[key];
  };
  const rows = Object.fromEntries(tileKeys.map((key) => [key, fitting(key)])) as Record<TileKey, TileTuning>;
  const hasSome = Object.values(rows).some(({ products }) => products === "matrix");
  return hasSome ? { ...matrixTuning, ...rows } : undefined;
}

/**
 * The candidates beside a base, which is always one. What is likeliest to be better somewhere comes first, of tiles the
 * largest: a load measures only as many as it may compile. Tiles are those that fit `limits`; default: all.
 */
export const tuningCandidates = (base: KernelTuning, limits?: WorkgroupLimits): TuningCandidates => ({
  linearVec: vec([4, 64], [2, 128], [4, 128], [8, 128]),
  linearVecInt8: vec([2, 64], [2, 128], [4, 64], [4, 128], [8, 128]),
  lmHead: vec([2, 64], [4, 64], [4, 128], [8, 64]),
  lmHeadInt8: vec([4, 32], [4, 64], [8, 32], [8, 64]),
  qkv: [{ workgroupSize: 64 }, { workgroupSize: 128 }, { workgroupSize: 256 }],
  qkvInt8: [{ workgroupSize: 96 }, { workgroupSize: 128 }, { workgroupSize: 192 }],
  gateUpVec: vec([4, 32], [8, 64], [8, 32], [8, 96], [16, 96]),
  downVec: vec([4, 64], [4, 128], [4, 192], [8, 128], [8, 192]),
  linearTile: tiles("linearTile", base.linearTile.products, limits).reverse(),
  linearTileInt8: tiles("linearTileInt8", base.linearTileInt8.products, limits).reverse(),
  moeTile: tiles("moeTile", base.moeTile.products, limits).reverse(),
});

/** The kernels whose text each row changes, in the order in which a pass runs them. */
export const tunedKernels: { readonly [Key in TuningKey]: readonly string[] } = {
  gateUpVec: ["moe-gate-up-swiglu-vec"],
  moeTile: ["moe-group", "moe-gate-up-swiglu-tile", "moe-down-tile"],
  downVec: ["moe-down-vec"],
  lmHead: ["lm-head-vec", "sample-advance"],
  lmHeadInt8: ["lm-head-vec", "sample-advance"],
  qkv: ["qkv-rope-vec"],
  qkvInt8: ["qkv-rope-vec"],
  linearVec: ["linear-residual-vec"],
  linearVecInt8: ["linear-residual-vec"],
  linearTile: ["linear-tile"],
  linearTileInt8: ["linear-tile"],
};

/** The rows of a tuning, those that take most of a pass first: so they are measured. */
export const tuningKeys = Object.keys(tunedKernels) as readonly TuningKey[];

/** `base` with one row replaced. */
export const withRow = <Key extends TuningKey>(
  base: KernelTuning,
  key: Key,
  row: KernelTuning[Key],
): KernelTuning => ({ ...base, [key]: row });

/** A tuning that differs from a base in the row `key`. */
export interface TuningTrial {
  readonly key: TuningKey;
  readonly tuning: KernelTuning;
}

/**
 * One candidate at a time beside the base: the first of every row, then the second of every row, and so on. Tiles are those
 * that fit `limits`; default: all.
 */
export function tuningsToTry(base: KernelTuning, limits?: WorkgroupLimits): TuningTrial[] {
  const candidates = tuningCandidates(base, limits);
  const byKey = tuningKeys.map((key) =>
    candidates[key]
      .filter((row) => !isSame(row, base[key]))
      .map((row) => ({ key, tuning: { ...base, [key]: row } })),
  );
  const most = Math.max(...byKey.map((tried) => tried.length));
  return Array.from({ length: most }, (_, i) => byKey.flatMap((tried) => tried[i] ?? [])).flat();
}

/** What was remembered as a tuning, where every row is the base's or one of its candidates (within `limits`). */
export function knownTuning(
  base: KernelTuning,
  remembered: unknown,
  limits?: WorkgroupLimits,
): KernelTuning | undefined {
  if (typeof remembered !== "object" || remembered === null) return undefined;
  const candidates = tuningCandidates(base, limits);
  const rows = new Map<string, unknown>(Object.entries(remembered));
  const found = tuningKeys.flatMap((key) => {
    const row = [base[key], ...candidates[key]].find((known) => isSame(known, rows.get(key)));
    return row === undefined ? [] : [[key, row] as const];
  });
  return found.length === tuningKeys.length
    ? { ...base, ...(Object.fromEntries(found) as Partial<KernelTuning>) }
    : undefined;
}

/** Whether a value has the sizes of a row, and no others. */
function isSame(row: object, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const sizes = Object.entries(row);
  const others = new Map<string, unknown>(Object.entries(value));
  return sizes.length === others.size && sizes.every(([name, size]) => others.get(name) === size);
}

/**
 * `base` with the sizes of an option.
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

/** Sizes are what the kernels have been tried with; whatever else a row holds is one of the words for products. */
const fits = (value: unknown, known: unknown): boolean =>
  typeof known === "number"
    ? typeof value === "number" && [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256].includes(value)
    : tileProductForms.some((form) => form === value);

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw invalid(`${what} must be an object of sizes, got ${JSON.stringify(value)}`);
}

const invalid = (problem: string) =>
  new EngineError("request-invalid", `The kernels cannot be tuned so: ${problem}.`);
