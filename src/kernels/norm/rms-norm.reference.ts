/** out[t,h] = x[t,h] / sqrt(mean(x[t]^2) + eps) * gain[h], in float64. x: [T, H]; gain: [H]. */
export function rmsNormReference(x: ArrayLike<number>, gain: ArrayLike<number>, eps: number): Float64Array {
  const hiddenSize = gain.length;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += hiddenSize) {
    let squares = 0;
    for (let h = 0; h < hiddenSize; h += 1) squares += (x[start + h] ?? 0) ** 2;
    const scale = 1 / Math.sqrt(squares / hiddenSize + eps);
    for (let h = 0; h < hiddenSize; h += 1) out[start + h] = (x[start + h] ?? 0) * scale * (gain[h] ?? 0);
  }
  return out;
}
