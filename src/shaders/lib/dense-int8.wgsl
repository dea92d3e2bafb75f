// Rows of a dense matrix stored as int8 (after lib/bf16.wgsl). Same functions as lib/dense-bf16.wgsl, one of the two is used.
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

// The inputs of a load, and what is to be added to their products with codes that are too large by 384: by block.
struct DenseInputs {
  vecs: array<vec4<f32>, LOAD_VECS>,
  shifts: vec2<f32>,
}

// Which vec4 of a row meets vec4 `v` of load `i`; it lies beyond the row in its padding alone.
fn dense_input(i: u32, v: u32) -> u32 {
  return i / 4u * 16u + 4u * v + i % 4u;
}

// To be called once all `vecs` of a load are there.
fn complete_inputs(inputs: ptr<function, DenseInputs>) {
  let first = (*inputs).vecs[0] + (*inputs).vecs[1];
  let second = (*inputs).vecs[2] + (*inputs).vecs[3];
  (*inputs).shifts = -384.0 * vec2<f32>(dot(first, vec4<f32>(1.0)), dot(second, vec4<f32>(1.0)));
}

// The four codes of a word plus 384. With a code's bits moved to 15..22 and its sign bit turned, it is the upper mantissa
// of a float in 256..511, which takes a third of the instructions of sign extension and conversion.
//   code -128: mantissa 0x00 -> 256     code 0: 0x80 -> 384     code 127: 0xff -> 511
fn int8_four_raised(word: u32) -> vec4<f32> {
  let moved = vec4<u32>(word << 15u, word << 7u, word >> 1u, word >> 9u) & vec4<u32>(0x007f8000u);
  return bitcast<vec4<f32>>(moved ^ vec4<u32>(0x43c00000u));
}

fn add_raised(sum: f32, word: u32, x: vec4<f32>) -> f32 {
  let w = int8_four_raised(word);
  return fma(w.w, x.w, fma(w.z, x.z, fma(w.y, x.y, fma(w.x, x.x, sum))));
}

// The scales of a row's two blocks of a group.
fn int8_scales(row: u32, group: u32) -> u32 {
  let at = row * ROW_GROUPS + group;
  return weight[FIRST_SCALES + at / 4u][at % 4u];
}

// The products of load `i` of a row with its inputs, summed. The 384s leave with the block's own sum, so that what rounding
// they cost is as small as its scale.
fn dense_dot(row: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  let codes = weight[row * ROW_LOADS + i];
  let scales = int8_scales(row, i / 4u);
  let first = add_raised(add_raised((*inputs).shifts.x, codes.x, (*inputs).vecs[0]), codes.y, (*inputs).vecs[1]);
  let second = add_raised(add_raised((*inputs).shifts.y, codes.z, (*inputs).vecs[2]), codes.w, (*inputs).vecs[3]);
  return fma(first, bf16_low(scales), second * bf16_high(scales));
}
