import { invalid, show } from "./tokenizer-errors.ts";

/** Pairs of tokens that become one, by rank: a lower rank is merged first, equal ranks from left to right. */
export interface MergeTable {
  /** Rank of a pair of ids; `NO_MERGE` where it stays two tokens. */
  rank(left: number, right: number): number;
  /** The token that a pair of this rank becomes. */
  merged(rank: number): number;
}

/** Above every rank. */
export const NO_MERGE = 0x7fffffff;

/** A bound against hostile files; gpt-oss has 446 k merges. */
const MAX_MERGES = 1 << 22;
const SLOT = 3;

/**
 * The merges of a tokenizer.json as a table. Every merge must make a token, or text that it applies to would
 * vanish. Merges that have a token of `removed` in them are left out.
 *
 * Merges in a row that make the same token share a rank: a file converted from a vocabulary of ranks (such as
 * gpt-oss's) lists all cuts of a token, and the original merges the leftmost pair of the lowest token.
 * @throws tokenizer-invalid
 */
export function readMerges(
  given: unknown,
  vocab: ReadonlyMap<string, number>,
  removed: ReadonlySet<string>,
): MergeTable {
  if (!Array.isArray(given)) throw invalid("model.merges must be a list");
  if (given.length > MAX_MERGES)
    throw invalid(`model.merges has ${given.length} entries, more than ${MAX_MERGES}`);
  const capacity = 2 ** Math.ceil(Math.log2(2 * given.length + 2));
  const table = createPairTable(capacity);
  const mergedByRank = new Int32Array(given.length);
  let numRanks = 0;
  for (const merge of given as unknown[]) {
    const [left, right] = pairOf(merge);
    const mergedText = left + right;
    if (removed.size > 0 && (removed.has(left) || removed.has(right) || removed.has(mergedText))) continue;
    const merged = vocab.get(mergedText);
    const leftId = vocab.get(left);
    const rightId = vocab.get(right);
    if (merged === undefined) throw invalid(`merge ${show(merge)} makes no token of model.vocab`);
    if (leftId === undefined || rightId === undefined)
      throw invalid(`merge ${show(merge)} is of no tokens of model.vocab`);
    if (numRanks === 0 || mergedByRank[numRanks - 1] !== merged) mergedByRank[numRanks++] = merged;
    table.add(leftId, rightId, numRanks - 1);
  }
  const ranks = mergedByRank.slice(0, numRanks);
  return { rank: table.rank, merged: (rank) => ranks[rank] ?? 0 };
}

function pairOf(merge: unknown): readonly [string, string] {
  const parts: readonly unknown[] =
    typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  const left = parts[0];
  const right = parts[1];
  if (typeof left !== "string" || typeof right !== "string" || parts.length !== 2)
    throw invalid(`a merge must be a pair of tokens, got ${show(merge)}`);
  return [left, right];
}

/** Open addressing, a third of it the ids and ranks that a Map would keep in as many objects. */
function createPairTable(capacity: number): {
  add(left: number, right: number, rank: number): void;
  readonly rank: MergeTable["rank"];
} {
  // Ids are kept plus one: zero is an empty slot.
  const slots = new Int32Array(capacity * SLOT);
  const mask = capacity - 1;

  function find(left: number, right: number): number {
    let slot = pairHash(left, right) & mask;
    for (;;) {
      const at = slot * SLOT;
      if (slots[at] === 0 || (slots[at] === left + 1 && slots[at + 1] === right)) return at;
      slot = (slot + 1) & mask;
    }
  }

  return {
    add(left, right, rank) {
      const at = find(left, right);
      // A pair listed twice keeps its first rank.
      if (slots[at] !== 0) return;
      slots[at] = left + 1;
      slots[at + 1] = right;
      slots[at + 2] = rank;
    },
    rank(left, right) {
      const at = find(left, right);
      return slots[at] === 0 ? NO_MERGE : (slots[at + 2] ?? NO_MERGE);
    },
  };
}

function pairHash(left: number, right: number): number {
  const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
