/** out[t,n] = sum_k x[t,k] * weight[n,k] + bias[n] + residual[t,n], in float64. x: [T, K]; weight: [N, K]. */
export function linearReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  inputSize: number,
  options: { readonly bias?: ArrayLike<number>; readonly residual?: ArrayLike<number> } = {},
): Float64Array {
  const numTokens = x.length / inputSize;
  const outputSize = weight.length / inputSize;
  const out = new Float64Array(numTokens * outputSize);
  for (let t = 0; t < numTokens; t += 1) {
    for (let n = 0; n < outputSize; n += 1) {
      let sum = (options.bias?.[n] ?? 0) + (options.residual?.[t * outputSize + n] ?? 0);
      for (let k = 0; k < inputSize; k += 1)
        sum += (x[t * inputSize + k] ?? 0) * (weight[n * inputSize + k] ?? 0);
      out[t * outputSize + n] = sum;
    }
  }
  return out;
}
