/** What the invocations of a workgroup see, [workgroupSize, 8], where they fill subgroups of `subgroupSize` in order. */
export function subgroupOrderReference(workgroupSize: number, subgroupSize: number): Uint32Array {
  const seen = new Uint32Array(8 * workgroupSize);
  let sum = 0;
  for (let index = 0; index < workgroupSize; index += 1) sum += (index + 1) ** 2;
  for (let index = 0; index < workgroupSize; index += 1) {
    const place = index % subgroupSize;
    const least = index - place;
    const greatest = Math.min(least + subgroupSize, workgroupSize) - 1;
    const count = greatest - least + 1;
    seen.set([subgroupSize, place, least, greatest, count, index ^ 1, index ^ 2, sum], 8 * index);
  }
  return seen;
}
