/** A prompt's entries by expert: what moe-group writes. */
export interface Grouping {
  /** [T * A], by expert, then by token. */
  readonly entries: number[];
  /** [E + 1] */
  readonly offsets: number[];
  /** Expert, first place in entries, number of entries. */
  readonly tiles: readonly (readonly [expert: number, first: number, count: number])[];
}

/** Groups ids [T, A] by expert, in tiles of at most `tileTokens` entries. */
export function moeGroupReference(ids: Uint32Array, numExperts: number, tileTokens: number): Grouping {
  const entries: number[] = [];
  const offsets = [0];
  const tiles: [number, number, number][] = [];
  for (let expert = 0; expert < numExperts; expert += 1) {
    const start = entries.length;
    ids.forEach((id, entry) => {
      if (id === expert) entries.push(entry);
    });
    for (let first = start; first < entries.length; first += tileTokens)
      tiles.push([expert, first, Math.min(tileTokens, entries.length - first)]);
    offsets.push(entries.length);
  }
  return { entries, offsets, tiles };
}
