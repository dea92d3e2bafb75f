/** Chooses how many prompt tokens go into the next pass, so that none keeps the GPU for much over the target. */
export interface ChunkSizer {
  next(remainingTokens: number): number;
  /** Tells what a chunk took. */
  record(numTokens: number, elapsedMs: number): void;
}

export interface ChunkSizerOptions {
  readonly maxTokens: number;
  /** Time a chunk should take, in ms. Default 60, which leaves room below the 100 ms that a page can spare. */
  readonly targetMs?: number;
  /** First chunk. Default 64. */
  readonly firstTokens?: number;
}

const minTokens = 16;
/** A chunk grows at most this much from one to the next: small chunks say little about large ones. */
const maxGrowth = 4;

export function createChunkSizer({
  maxTokens,
  targetMs = 60,
  firstTokens = 64,
}: ChunkSizerOptions): ChunkSizer {
  const clamp = (tokens: number) =>
    Math.max(1, Math.min(maxTokens, Math.max(minTokens, Math.floor(tokens / 16) * 16)));
  let size = clamp(firstTokens);
  return {
    next: (remainingTokens) => Math.min(size, remainingTokens),
    record(numTokens, elapsedMs) {
      const fitting = (numTokens * targetMs) / Math.max(elapsedMs, 0.1);
      // A short last chunk says that a chunk of its size fits, not that larger ones do not.
      if (numTokens < size && fitting >= size) return;
      size = clamp(Math.min(fitting, size * maxGrowth));
    },
  };
}
