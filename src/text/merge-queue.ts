import { type MergeTable, NO_MERGE } from "./tokenizer-merges.ts";

/** Positions within one piece: rank times this plus position stays an exact number. */
const POSITIONS = 2 ** 31;

/** Byte-pair merging of long pieces in n log n time, with working memory that is kept. */
export interface MergeQueue {
  /** Merges `parts[0..count)` in place, lowest rank first, the leftmost of equals. Returns the new count. */
  merge(parts: Int32Array, count: number, merges: MergeTable): number;
}

/** A heap of pairs over a linked list of parts. */
export function createMergeQueue(): MergeQueue {
  let heap = new Float64Array(0);
  let size = 0;
  let next = new Int32Array(0);
  let previous = new Int32Array(0);

  function push(value: number): void {
    let at = size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above <= value) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = value;
  }

  function pop(): number {
    const top = heap[0] ?? 0;
    const last = heap[--size] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child += 1;
      const below = heap[child] ?? 0;
      if (below >= last) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  function reserve(count: number): void {
    size = 0;
    if (next.length >= count) return;
    // Each merge ends one pair and adds two at most.
    heap = new Float64Array(3 * count);
    next = new Int32Array(count);
    previous = new Int32Array(count);
  }

  return {
    merge(parts, count, merges) {
      reserve(count);
      const rankAt = (at: number): number => {
        const right = next[at] ?? count;
        return right < count ? merges.rank(parts[at] ?? 0, parts[right] ?? 0) : NO_MERGE;
      };
      const enqueue = (at: number): void => {
        const rank = rankAt(at);
        if (rank !== NO_MERGE) push(rank * POSITIONS + at);
      };
      for (let i = 0; i < count; i++) {
        next[i] = i + 1;
        previous[i] = i - 1;
      }
      for (let i = 0; i < count; i++) enqueue(i);
      while (size > 0) {
        const entry = pop();
        const at = entry % POSITIONS;
        const rank = (entry - at) / POSITIONS;
        // Merged away, or a pair of other parts by now.
        if ((parts[at] ?? -1) < 0 || rankAt(at) !== rank) continue;
        const right = next[at] ?? count;
        const after = next[right] ?? count;
        parts[at] = merges.merged(rank);
        parts[right] = -1;
        next[at] = after;
        if (after < count) previous[after] = at;
        enqueue(at);
        const before = previous[at] ?? -1;
        if (before >= 0) enqueue(before);
      }
      let numLeft = 0;
      for (let at = 0; at < count; at = next[at] ?? count) parts[numLeft++] = parts[at] ?? 0;
      return numLeft;
    },
  };
}
