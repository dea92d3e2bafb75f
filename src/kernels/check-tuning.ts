import type { TileKey, TileTuning, VecTuning } from "./tuning.ts";

/** What limits the tiles that an adapter can do: bytes of memory and invocations of a workgroup. */
export interface WorkgroupLimits {
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** Bytes of workgroup memory and invocations that every adapter has. */
const everywhere: WorkgroupLimits = {
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
};

/** A rule as a sentence where it is broken. */
const unless = (holds: boolean, sentence: string): string[] => (holds ? [] : [sentence]);

/** Rules of kernels that sum `numSums` numbers over a workgroup by lib/reduce-*. */
export const checkSums = (numSums: number, workgroupSize: number): string[] => {
  const bytes = 4 * numSums * workgroupSize;
  const most = everywhere.maxComputeWorkgroupStorageSize;
  return unless(
    bytes <= most,
    `${numSums} sums of ${workgroupSize} invocations take ${bytes} bytes of workgroup memory, more than ${most}`,
  );
};

/** The rule of kernels in which an invocation writes each row. */
export const checkWriters = ({ rows, workgroupSize }: VecTuning): string[] =>
  unless(rows <= workgroupSize, `${rows} rows need as many invocations, not ${workgroupSize}`);

/** f16 that hold a weight where subgroup matrices multiply it (WEIGHT_HALVES of the weights library). */
const weightHalves: Readonly<Record<TileKey, number>> = { linearTile: 1, linearTileInt8: 2, moeTile: 1 };

/** Bytes of workgroup memory that a tile takes (lib/tile.wgsl, lib/tile-matrix.wgsl), as row `key` of a tuning. */
export const tileBytes = (
  key: TileKey,
  { tileTokens, tileRows, tileThreads, products }: TileTuning,
): number => {
  if (products === "f32") return 8 * 16 * (tileTokens + tileRows);
  const blockBytes = 16 * 3 * 16;
  const sumsBytes = 16 * 5 * 16;
  return blockBytes * (tileTokens / 4 + (weightHalves[key] * tileRows) / 8) + sumsBytes * (tileThreads / 32);
};

/** Whether workgroups of these limits can make such a tile, as row `key` of a tuning. */
export const fitsWorkgroup = (key: TileKey, tile: TileTuning, limits: WorkgroupLimits): boolean =>
  tile.tileThreads <= limits.maxComputeInvocationsPerWorkgroup &&
  tileBytes(key, tile) <= limits.maxComputeWorkgroupStorageSize;

/** Rules of lib/tile.wgsl or lib/tile-matrix.wgsl. */
export function checkTile(key: TileKey, tile: TileTuning): string[] {
  const { tileTokens, tileRows, tileThreads, products } = tile;
  const sizes = `${tileTokens} tokens by ${tileRows} rows by ${tileThreads} invocations`;
  if (products === "matrix")
    return checkMatrixTile(tile).map((rule) => `a matrix tile ${rule}, not ${sizes}`);
  return [
    ...unless(tileRows === 64, "has 64 rows"),
    ...unless(tileThreads === 64 || tileThreads === 128, "has 64 or 128 invocations"),
    ...unless(tileTokens % (tileThreads / 8) === 0, "has a multiple of tokens for eight invocations each"),
    ...unless(
      fitsWorkgroup(key, tile, everywhere),
      `takes ${everywhere.maxComputeWorkgroupStorageSize} bytes`,
    ),
  ].map((rule) => `an f32 tile ${rule}, not ${sizes}`);
}

/** A subgroup of 32 makes 32 tokens by 64 rows; an invocation expands a row's weights, and some of the inputs. */
const checkMatrixTile = ({ tileTokens, tileRows, tileThreads }: TileTuning): string[] => [
  ...unless(tileTokens % 32 === 0, "has a multiple of 32 tokens"),
  ...unless([64, 128, 256].includes(tileRows), "has 64, 128 or 256 rows"),
  ...unless(tileThreads === (tileTokens * tileRows) / 64, "has an invocation for 64 sums"),
  ...unless(
    tileThreads >= tileRows && tileThreads <= 256,
    "has at least an invocation a row, and at most 256",
  ),
];
