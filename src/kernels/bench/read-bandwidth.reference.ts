/** Exclusive-or of every word with the same place in every `numInvocations`-th vec4. data: [any, 4]; out: [numInvocations, 4]. */
export function readBandwidthReference(data: Uint32Array, numInvocations: number): Uint32Array {
  const sums = new Uint32Array(4 * numInvocations);
  for (const [i, word] of data.entries()) sums[i % sums.length] = (sums[i % sums.length] ?? 0) ^ word;
  return sums;
}
