/** out[t,h] = table[tokens[t], h]. table: [V, H]. */
export function embedReference(
  tokens: readonly number[],
  table: ArrayLike<number>,
  hiddenSize: number,
): Float64Array {
  const out = new Float64Array(tokens.length * hiddenSize);
  tokens.forEach((token, t) => {
    for (let h = 0; h < hiddenSize; h += 1)
      out[t * hiddenSize + h] = table[token * hiddenSize + h] ?? Number.NaN;
  });
  return out;
}
