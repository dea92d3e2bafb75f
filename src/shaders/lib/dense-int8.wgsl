// Rows of a dense matrix stored as int8 (after lib/bf16.wgsl). Same functions as lib/dense-bf16.wgsl, one of the two is used.
// Needs: WEIGHT_ROWS, WEIGHT_COLUMNS, a multiple of 32; binding `weight: array<vec4<u32>>`, which holds
//   codes [WEIGHT_ROWS, WEIGHT_COLUMNS], sixteen int8 an element, then scales [WEIGHT_ROWS, WEIGHT_COLUMNS / 32] as bf16
// in one buffer, since a kernel has 8 of them at most. A weight is code * scale of its block of 32 (quantize-int8).
const ROW_LOADS: u32 = WEIGHT_COLUMNS / 16u; // vec4<u32> of codes in a row
const LOAD_VECS: u32 = 4u;                   // vec4s of inputs that the weights of one load meet
const FIRST_SCALES: u32 = WEIGHT_ROWS * ROW_LOADS;

alias DenseInputs = array<vec4<f32>, LOAD_VECS>;

// The four codes of a word. With a code's bits moved to 15..22 and its sign bit turned, it is the upper mantissa of a float
// in 256..511, which is 384 + code; that takes a third of the instructions of sign extension and conversion.
//   code -128: mantissa 0x00 -> 256     code 0: 0x80 -> 384     code 127: 0xff -> 511
fn int8_four(word: u32) -> vec4<f32> {
  let moved = vec4<u32>(word << 15u, word << 7u, word >> 1u, word >> 9u) & vec4<u32>(0x007f8000u);
  return bitcast<vec4<f32>>(moved ^ vec4<u32>(0x43c00000u)) - 384.0;
}

fn int8_scale(block: u32) -> f32 {
  return bf16_select(weight[FIRST_SCALES + block / 8u][(block / 2u) % 4u], block);
}

// The products of load `i` of a row with its inputs, summed.
fn dense_dot(row: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  let at = row * ROW_LOADS + i;
  let codes = weight[at];
  var sums = int8_four(codes.x) * (*inputs)[0];
  sums = fma(int8_four(codes.y), (*inputs)[1], sums);
  sums = fma(int8_four(codes.z), (*inputs)[2], sums);
  sums = fma(int8_four(codes.w), (*inputs)[3], sums);
  return dot(sums, vec4<f32>(1.0)) * int8_scale(at / 2u);
}
