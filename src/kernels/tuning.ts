/**
 * Sizes that decide a kernel's speed and not its result, in one table. `rows` is how many weight rows a workgroup works
 * on, `workgroupSize` how many invocations share them, `tileTokens` how many tokens a tile of a GEMM has.
 * The values are the fastest measured on one NVIDIA H200 (docs/performance.md).
 */
export const tuning = {
  linearVec: { rows: 4, workgroupSize: 128 },
  lmHead: { rows: 4, workgroupSize: 64 },
  qkv: { workgroupSize: 128 },
  gateUpVec: { rows: 4, workgroupSize: 32 },
  downVec: { rows: 4, workgroupSize: 128 },
  linearTile: { tileTokens: 64, tileThreads: 128 },
  moeTile: { tileTokens: 32, tileThreads: 64 },
} as const;
