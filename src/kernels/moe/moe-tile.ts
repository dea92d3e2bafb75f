import { type Tuned, tuningOf } from "../tuning.ts";

/** Experts that moe-group can order: one lane each. */
export const maxGroupedExperts = 256;

export interface MoeRouteSizes extends Tuned {
  readonly numExperts: number;
  readonly expertsPerToken: number;
}

/**
 * The most tiles that `numTokens` tokens can need, however they are routed: each expert in use may leave one tile
 * partly empty. So many are dispatched, and the unused end at once.
 */
export function moeTileLimit(sizes: MoeRouteSizes, numTokens: number): number {
  const numEntries = numTokens * sizes.expertsPerToken;
  const mostUsed = Math.min(sizes.numExperts, numEntries);
  return mostUsed + Math.floor((numEntries - mostUsed) / tuningOf(sizes).moeTile.tileTokens);
}

/** Sizes in bytes of the buffers that the tile kernels share, for up to `numTokens` tokens a pass. */
export function moeTileScratchBytes(
  sizes: MoeRouteSizes & { readonly hiddenSize: number; readonly expertWidth: number },
  numTokens: number,
): { entries: number; offsets: number; tiles: number; hidden: number; expertOut: number } {
  const numEntries = numTokens * sizes.expertsPerToken;
  return {
    entries: numEntries * 4,
    offsets: (sizes.numExperts + 1) * 4,
    tiles: moeTileLimit(sizes, numTokens) * 16,
    hidden: numEntries * sizes.expertWidth * 4,
    expertOut: numEntries * sizes.hiddenSize * 4,
  };
}
