/**
 * Asserts that a kernel's output equals the reference: |got - expected| <= absolute + relative * |expected|.
 * Refuses an expectation that is all zero (it would prove nothing). The message names the worst element.
 */
export function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: { readonly absolute: number; readonly relative?: number },
  label = "output",
): void {
  if (got.length !== expected.length)
    throw new Error(`${label}: got ${got.length} values, expected ${expected.length}`);
  let worst = -1;
  let worstExcess = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const want = expected[i] ?? Number.NaN;
    const have = got[i] ?? Number.NaN;
    largest = Math.max(largest, Math.abs(want));
    const allowed = tolerance.absolute + (tolerance.relative ?? 0) * Math.abs(want);
    const excess = Math.abs(have - want) / allowed;
    if (!(excess <= 1) && !(excess <= worstExcess)) {
      worst = i;
      worstExcess = excess;
      if (Number.isNaN(excess)) break;
    }
  }
  if (largest === 0 && expected.length > 0)
    throw new Error(`${label}: the expectation is all zero and proves nothing`);
  if (worst >= 0)
    throw new Error(
      `${label}[${worst}]: got ${got[worst]}, expected ${expected[worst]} (${worstExcess.toFixed(2)} times what is allowed)`,
    );
}
