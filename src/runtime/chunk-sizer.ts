/** Chooses how many prompt tokens go into the next pass, so that none keeps the GPU for much over the budget. */
export interface ChunkSizer {
  next(remainingTokens: number): number;
  /** Tells what a chunk took. */
  record(numTokens: number, elapsedMs: number): void;
}

export interface ChunkSizerOptions {
  /** Largest chunk: what a pass is allocated for. */
  readonly maxTokens: number;
  /** Most time a chunk should take, in ms. Default 90, which leaves room below the 100 ms that a page can spare. */
  readonly budgetMs?: number;
  /** First chunk. Default 128. */
  readonly firstTokens?: number;
}

const leastTokens = 16;
/** What twice the tokens are taken to cost before it was measured: less than twice, since weights are read once. */
const growthGuess = 1.6;
/** A size that was too slow is forgiven bit by bit, so that it is tried again some chunks later. */
const forgiveness = 0.9;

/**
 * Goes up and down a ladder of sizes (16, 32, 64 … maxTokens): down where a chunk took longer than the budget, up
 * where the next size took, or should take, less. Small chunks cost almost as much as larger ones, as both read all
 * weights, so the largest size within the budget is by far the fastest.
 */
export function createChunkSizer({
  maxTokens,
  budgetMs = 90,
  firstTokens = 128,
}: ChunkSizerOptions): ChunkSizer {
  const sizes: number[] = [];
  for (let size = leastTokens; size < maxTokens; size *= 2) sizes.push(size);
  sizes.push(maxTokens);
  const times = new Map<number, number>();
  let rung = Math.max(
    0,
    sizes.findLastIndex((size) => size <= firstTokens),
  );
  return {
    next: (remainingTokens) => Math.min(sizes[rung] ?? maxTokens, remainingTokens),
    record(numTokens, elapsedMs) {
      const size = sizes[rung] ?? maxTokens;
      // A short last chunk that was fast says nothing about full ones.
      if (numTokens < size && elapsedMs <= budgetMs) return;
      times.set(size, elapsedMs);
      const larger = sizes[rung + 1];
      if (elapsedMs > budgetMs) {
        rung = Math.max(0, rung - 1);
      } else if (larger !== undefined) {
        const expected =
          (times.get(larger) ?? elapsedMs * growthGuess) * (times.has(larger) ? forgiveness : 1);
        if (times.has(larger)) times.set(larger, expected);
        if (expected <= budgetMs) rung += 1;
      }
    },
  };
}
