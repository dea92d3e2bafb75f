/** `rows` weight rows a workgroup, shared by `workgroupSize` invocations. */
export interface VecTuning {
  readonly rows: number;
  readonly workgroupSize: number;
}

/** `tileTokens` tokens by `tileRows` weight rows a tile of a GEMM, made by `tileThreads` invocations. */
export interface TileTuning {
  readonly tileTokens: number;
  readonly tileRows: number;
  readonly tileThreads: number;
  /** How products are made: by f32 arithmetic, or by subgroup matrices of f16 with f32 sums (lib/tile-matrix.wgsl). */
  readonly products: (typeof tileProductForms)[number];
}

/** The ways to make a tile's products. */
export const tileProductForms = ["f32", "matrix"] as const;

/** Constants of the tile libraries. */
export const tileConstants = ({ tileTokens, tileRows, tileThreads }: TileTuning) => ({
  TILE_M: tileTokens,
  TILE_N: tileRows,
  TILE_THREADS: tileThreads,
});

/** Sizes that decide the kernels' speed and not their results. A plan takes one; every kernel reads its row. */
export interface KernelTuning {
  readonly linearVec: VecTuning;
  readonly linearVecInt8: VecTuning;
  readonly lmHead: VecTuning;
  readonly lmHeadInt8: VecTuning;
  readonly qkv: Pick<VecTuning, "workgroupSize">;
  readonly qkvInt8: Pick<VecTuning, "workgroupSize">;
  readonly gateUpVec: VecTuning;
  readonly downVec: VecTuning;
  readonly linearTile: TileTuning;
  readonly linearTileInt8: TileTuning;
  readonly moeTile: TileTuning;
}

/** The fastest measured on one NVIDIA H200 (docs/performance.md), and where nothing else is known. */
export const defaultTuning: KernelTuning = {
  linearVec: { rows: 4, workgroupSize: 128 },
  linearVecInt8: { rows: 2, workgroupSize: 128 },
  lmHead: { rows: 4, workgroupSize: 128 },
  lmHeadInt8: { rows: 8, workgroupSize: 32 },
  qkv: { workgroupSize: 128 },
  qkvInt8: { workgroupSize: 192 },
  gateUpVec: { rows: 8, workgroupSize: 96 },
  downVec: { rows: 4, workgroupSize: 128 },
  linearTile: { tileTokens: 64, tileRows: 64, tileThreads: 128, products: "f32" },
  linearTileInt8: { tileTokens: 64, tileRows: 64, tileThreads: 128, products: "f32" },
  moeTile: { tileTokens: 32, tileRows: 64, tileThreads: 64, products: "f32" },
};

/** The tiles where the adapter has subgroup matrices (`Gpu.matrix`): 32 tokens and 64 rows a subgroup of 32. */
export const matrixTuning: KernelTuning = {
  ...defaultTuning,
  linearTile: { tileTokens: 64, tileRows: 256, tileThreads: 256, products: "matrix" },
  linearTileInt8: { tileTokens: 64, tileRows: 128, tileThreads: 128, products: "matrix" },
  moeTile: { tileTokens: 64, tileRows: 256, tileThreads: 256, products: "matrix" },
};

/** The rows that are tiles. */
export const tileKeys = ["linearTile", "linearTileInt8", "moeTile"] as const;
export type TileKey = (typeof tileKeys)[number];

/** Part of the shape of every kernel with sizes to choose. */
export interface Tuned {
  /** Default `defaultTuning`. The grid must be asked for with the same. */
  readonly tuning?: KernelTuning;
}

/** The tuning of a shape. */
export const tuningOf = ({ tuning }: Tuned): KernelTuning => tuning ?? defaultTuning;
