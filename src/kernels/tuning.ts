/** `rows` weight rows a workgroup, shared by `workgroupSize` invocations. */
export interface VecTuning {
  readonly rows: number;
  readonly workgroupSize: number;
}

/** `tileTokens` tokens a tile of a GEMM, made by `tileThreads` invocations. */
export interface TileTuning {
  readonly tileTokens: number;
  readonly tileThreads: number;
}

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
  readonly moeTile: TileTuning;
}

/** The fastest measured on one NVIDIA H200 (docs/performance.md), and where nothing else is known. */
export const defaultTuning: KernelTuning = {
  linearVec: { rows: 4, workgroupSize: 128 },
  linearVecInt8: { rows: 4, workgroupSize: 64 },
  lmHead: { rows: 4, workgroupSize: 64 },
  lmHeadInt8: { rows: 8, workgroupSize: 32 },
  qkv: { workgroupSize: 128 },
  qkvInt8: { workgroupSize: 64 },
  gateUpVec: { rows: 4, workgroupSize: 32 },
  downVec: { rows: 4, workgroupSize: 128 },
  linearTile: { tileTokens: 64, tileThreads: 128 },
  moeTile: { tileTokens: 32, tileThreads: 64 },
};

/** Part of the shape of every kernel with sizes to choose. */
export interface Tuned {
  /** Default `defaultTuning`. The grid must be asked for with the same. */
  readonly tuning?: KernelTuning;
}

/** The tuning of a shape. */
export const tuningOf = ({ tuning }: Tuned): KernelTuning => tuning ?? defaultTuning;
