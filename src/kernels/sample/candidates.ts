/** Where sampling candidates lie, by rising id: their scores first, from word `idsAt` on their ids. Whole vec4s, both. */
export function candidateLayout(numCandidates: number): {
  readonly idsAt: number;
  readonly sizeBytes: number;
} {
  const idsAt = 4 * Math.ceil(numCandidates / 4);
  return { idsAt, sizeBytes: 8 * idsAt };
}
