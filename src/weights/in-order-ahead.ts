import { breathe } from "./breathe.ts";

/** Items worked on at once. */
const maxAhead = 4;

/**
 * Results of `work(0)` to `work(count - 1)` in order, while the next few are under way. No two of these and of the result that the
 * caller has at hand are in the same slot (0 to 3), so that memory may belong to one.
 */
export async function* inOrderAhead<T>(
  count: number,
  work: (index: number, slot: number) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const under: Promise<T>[] = [];
  for (let index = 0; index < count || under.length > 0; ) {
    while (index < count && under.length < maxAhead) {
      const result = work(index, index % maxAhead);
      result.catch(() => {}); // awaited in its turn; leaving the loop early must not be an unhandled rejection
      under.push(result);
      index += 1;
    }
    const first = under.shift();
    await breathe();
    if (first !== undefined) yield await first;
  }
}
