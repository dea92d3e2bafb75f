import { breathe } from "./breathe.ts";

/** Items worked on at once. */
const maxAhead = 4;

/** Results of `work(0)` to `work(count - 1)` in order, while the next few are under way. */
export async function* inOrderAhead<T>(
  count: number,
  work: (index: number) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const under: Promise<T>[] = [];
  for (let index = 0; index < count || under.length > 0; ) {
    while (index < count && under.length < maxAhead) {
      const result = work(index);
      result.catch(() => {}); // awaited in its turn; leaving the loop early must not be an unhandled rejection
      under.push(result);
      index += 1;
    }
    const first = under.shift();
    await breathe();
    if (first !== undefined) yield await first;
  }
}
