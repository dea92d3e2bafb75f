// Lanes side by side that share a row of HEAD_VECS vec4s, each with every ROW_PARTS-th; and their sums joined.
// Subgroup form: four lanes, which are in one subgroup whatever its size (4 to 64; invocations fill subgroups in order).
const ROW_PARTS: u32 = select(1u, 4u, HEAD_VECS % 4u == 0u);

// The sum over the lanes of a row, in each of them. To be called in uniform control flow.
fn join_row(part: vec4<f32>) -> vec4<f32> {
  if (ROW_PARTS == 1u) {
    return part;
  }
  let pair = part + subgroupShuffleXor(part, 1u);
  return pair + subgroupShuffleXor(pair, 2u);
}
