import { swigluReference } from "./swiglu.reference.ts";

/** One projection of all experts: values [E, rows, columns], bias [E, rows]. */
export interface ExpertValues {
  readonly values: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
  readonly numRows: number;
  readonly numColumns: number;
}

/** y = W_e v + b_e for one expert and one input of `numColumns` values that starts at `inputStart`. */
function project(
  weights: ExpertValues,
  expert: number,
  input: ArrayLike<number>,
  inputStart: number,
): number[] {
  const { values, bias, numRows, numColumns } = weights;
  return Array.from({ length: numRows }, (_, row) => {
    const index = expert * numRows + row;
    let sum = bias[index] ?? 0;
    for (let k = 0; k < numColumns; k += 1)
      sum += (values[index * numColumns + k] ?? 0) * (input[inputStart + k] ?? 0);
    return sum;
  });
}

/**
 * gate_up and activation in float64. normed: [T, H]; ids: [T, A]; weights of 2F rows, 2j gate_j and 2j+1 up_j;
 * result: [T, A, F].
 */
export function moeGateUpReference(
  normed: ArrayLike<number>,
  ids: Uint32Array,
  weights: ExpertValues,
  options: { readonly expertsPerToken: number; readonly limit: number },
): Float64Array {
  const width = weights.numRows / 2;
  const hidden = new Float64Array(ids.length * width);
  ids.forEach((expert, entry) => {
    const token = Math.floor(entry / options.expertsPerToken);
    const both = project(weights, expert, normed, token * weights.numColumns);
    for (let j = 0; j < width; j += 1)
      hidden[entry * width + j] = swigluReference(both[2 * j] ?? 0, both[2 * j + 1] ?? 0, options.limit);
  });
  return hidden;
}

/** Down projection in float64, not yet weighted. hidden: [T, A, F]; ids: [T, A]; weights of H rows; result: [T, A, H]. */
export function moeDownReference(
  hidden: ArrayLike<number>,
  ids: Uint32Array,
  weights: ExpertValues,
): Float64Array {
  const out = new Float64Array(ids.length * weights.numRows);
  ids.forEach((expert, entry) => {
    out.set(project(weights, expert, hidden, entry * weights.numColumns), entry * weights.numRows);
  });
  return out;
}

/** x[t] + sum_a weights[t,a] * expertOut[t,a] in float64. x: [T, H]; weights: [T, A]; expertOut: [T, A, H]. */
export function moeCombineReference(
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
  expertOut: ArrayLike<number>,
): Float64Array {
  const hiddenSize = expertOut.length / weights.length;
  const expertsPerToken = (weights.length * hiddenSize) / x.length;
  return Float64Array.from(x, (value, index) => {
    const token = Math.floor(index / hiddenSize);
    let sum = value;
    for (let a = 0; a < expertsPerToken; a += 1) {
      const entry = token * expertsPerToken + a;
      sum += (weights[entry] ?? 0) * (expertOut[entry * hiddenSize + (index % hiddenSize)] ?? 0);
    }
    return sum;
  });
}
