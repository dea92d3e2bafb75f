// Rows of a dense matrix stored as int8 (after lib/bf16.wgsl; before lib/dense-int8.wgsl or lib/dense-int8-packed.wgsl).
// Needs: WEIGHT_ROWS, WEIGHT_COLUMNS, a multiple of 32; binding `weight: array<vec4<u32>>`, which holds
//   codes [WEIGHT_ROWS, ROW_GROUPS, 4], sixteen int8 an element, then scales [WEIGHT_ROWS, ROW_GROUPS], two bf16 a word,
// in one buffer, since a kernel has 8 of them at most. A weight is code * scale of its block of 32 (quantize-int8).
// A group is two blocks, 16 vec4s of a row. Its element l holds vec4s l, l + 4, l + 8 and l + 12: the inputs that lanes side
// by side load together lie side by side. The second block of a row's last group is zeros where the row has no such block.
const ROW_GROUPS: u32 = (WEIGHT_COLUMNS + 63u) / 64u;
const ROW_LOADS: u32 = 4u * ROW_GROUPS; // vec4<u32> of codes in a row
const LOAD_VECS: u32 = 4u;              // vec4s of inputs that the weights of one load meet
const ROW_IS_PADDED: bool = WEIGHT_COLUMNS % 64u != 0u;
const FIRST_SCALES: u32 = WEIGHT_ROWS * ROW_LOADS;

// Which vec4 of a row meets vec4 `v` of load `i`; it lies beyond the row in its padding alone.
fn dense_input(i: u32, v: u32) -> u32 {
  return i / 4u * 16u + 4u * v + i % 4u;
}

// The scales of a row's two blocks of a group.
fn int8_scales(row: u32, group: u32) -> u32 {
  let at = row * ROW_GROUPS + group;
  return weight[FIRST_SCALES + at / 4u][at % 4u];
}
