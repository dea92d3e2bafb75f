/** How to run the next part of a prompt: so many tokens in one pass, the pass's steps in so many submits. */
export interface Pace {
  readonly numTokens: number;
  readonly numSubmits: number;
}

/** Cuts a prompt into passes, and passes into submits, so that no submit keeps the GPU for much over the budget. */
export interface PrefillPacer {
  next(remainingTokens: number): Pace;
  /** Tells what a pass took in all. One of a few tokens says nothing of long ones and is ignored. */
  record(numTokens: number, elapsedMs: number): void;
}

export interface PrefillPacerOptions {
  /** Most tokens of a pass: what its activations are allocated for. */
  readonly maxTokens: number;
  /** Most submits of a pass: its number of steps. */
  readonly maxSubmits: number;
  /** Time that a submit should take, in ms. Default 60: steps differ in length, and 100 ms is what a page can spare. */
  readonly budgetMs?: number;
}

/** The first pass, on a GPU nothing is known of. */
const firstPace: Pace = { numTokens: 128, numSubmits: 8 };
const leastTokens = 16;

/**
 * Passes are as long as they may be, since each reads all weights once; what makes a submit short is that it holds only
 * some of a pass's steps. Only where even single steps would be too long are passes made shorter.
 */
export function createPrefillPacer({
  maxTokens,
  maxSubmits,
  budgetMs = 60,
}: PrefillPacerOptions): PrefillPacer {
  /** Latest time per token of a pass; a shorter pass takes more a token, so that estimates err towards caution. */
  let msPerToken: number | undefined;
  return {
    next(remainingTokens) {
      if (msPerToken === undefined) {
        return {
          numTokens: Math.min(firstPace.numTokens, maxTokens, remainingTokens),
          numSubmits: Math.min(firstPace.numSubmits, maxSubmits),
        };
      }
      const fitting = Math.max(leastTokens, Math.floor((budgetMs * maxSubmits) / msPerToken));
      const numTokens = Math.min(maxTokens, fitting, remainingTokens);
      const numSubmits = Math.ceil((numTokens * msPerToken) / budgetMs);
      return { numTokens, numSubmits: Math.max(1, Math.min(maxSubmits, numSubmits)) };
    },
    record(numTokens, elapsedMs) {
      if (numTokens >= leastTokens) msPerToken = elapsedMs / numTokens;
    },
  };
}

/** Cuts steps into `count` runs of nearly equal length, in order; none is empty. */
export function cutEvenly<T>(steps: readonly T[], count: number): T[][] {
  const parts = Math.max(1, Math.min(count, steps.length));
  return Array.from({ length: parts }, (_, i) =>
    steps.slice(Math.floor((i * steps.length) / parts), Math.floor(((i + 1) * steps.length) / parts)),
  );
}
