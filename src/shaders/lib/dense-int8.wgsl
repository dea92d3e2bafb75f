// Products of int8 rows with f32 inputs (after lib/int8-rows.wgsl). Same functions as lib/dense-bf16.wgsl and
// lib/dense-int8-packed.wgsl, one of the three is used.

// The inputs of a load, and what is to be added to their products with codes that are too large by 384: by block.
struct DenseInputs {
  vecs: array<vec4<f32>, LOAD_VECS>,
  shifts: vec2<f32>,
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

// The products of load `i` of a row with its inputs, summed. The 384s leave with the block's own sum, so that what rounding
// they cost is as small as its scale.
fn dense_dot(row: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  let codes = weight[row * ROW_LOADS + i];
  let scales = int8_scales(row, i / 4u);
  let first = add_raised(add_raised((*inputs).shifts.x, codes.x, (*inputs).vecs[0]), codes.y, (*inputs).vecs[1]);
  let second = add_raised(add_raised((*inputs).shifts.y, codes.z, (*inputs).vecs[2]), codes.w, (*inputs).vecs[3]);
  return fma(first, bf16_low(scales), second * bf16_high(scales));
}
