/** The eight chains of every invocation in float64. input: [2, 4]; out: [numInvocations, 4]. */
export function fmaRateReference(
  input: ArrayLike<number>,
  numInvocations: number,
  numRounds: number,
): Float64Array {
  const out = new Float64Array(4 * numInvocations);
  for (let at = 0; at < out.length; at += 1) {
    for (let chain = 0; chain < 8; chain += 1) {
      let value = Math.floor(at / 4) + chain;
      for (let round = 0; round < numRounds; round += 1)
        value = value * (input[at % 4] ?? 0) + (input[4 + (at % 4)] ?? 0);
      out[at] = (out[at] ?? 0) + value;
    }
  }
  return out;
}
