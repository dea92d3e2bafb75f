/** The group of a column of a row: numbers of a group share a scale. */
export type ActivationGroups = (column: number) => number;

/** Groups of dense rows: the 16 inputs of a load of lib/int8-rows.wgsl, which are every fourth vec4 of 64. */
export const denseGroups: ActivationGroups = (column) =>
  4 * Math.floor(column / 64) + (Math.floor(column / 4) % 4);

/** Groups of inputs of experts: blocks of MXFP4. */
export const expertGroups: ActivationGroups = (column) => Math.floor(column / 32);

/** The scale of each number of rows of `width`: the greatest magnitude of its group, at least 1e-30, over 127. */
export function activationScales(
  x: ArrayLike<number>,
  width: number,
  groupOf: ActivationGroups,
): Float64Array {
  const greatest = new Map<string, number>();
  const keyOf = (i: number) => `${Math.floor(i / width)}:${groupOf(i % width)}`;
  for (let i = 0; i < x.length; i += 1)
    greatest.set(keyOf(i), Math.max(greatest.get(keyOf(i)) ?? 1e-30, Math.abs(x[i] ?? Number.NaN)));
  return Float64Array.from({ length: x.length }, (_, i) => (greatest.get(keyOf(i)) ?? Number.NaN) / 127);
}

/** What int8 leaves of activations [T, width], in float64: code * scale, code = x / scale to the nearest. */
export function quantizeActivationsReference(
  x: ArrayLike<number>,
  width: number,
  groupOf: ActivationGroups,
): Float64Array {
  return activationScales(x, width, groupOf).map(
    (scale, i) => Math.round((x[i] ?? Number.NaN) / scale) * scale,
  );
}
