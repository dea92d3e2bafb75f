// Products of int8 rows with inputs that are quantised to int8 as well, by dot4I8Packed (after lib/int8-rows.wgsl and
// lib/int8-activations.wgsl). Same functions as lib/dense-int8.wgsl. The 16 inputs of a load share a scale, since one lane
// has them all: finer than the weights' blocks of 32, and no lane needs to know of others. A load of 16 products takes
// 4 dot products and 7 other instructions a row, where f32 products take 48 and 4; quantising takes about 60, once for all rows.
struct DenseInputs {
  vecs: array<vec4<f32>, LOAD_VECS>,
  codes: vec4<u32>, // of `vecs`, four a word
  scale: f32,
}

// To be called once all `vecs` of a load are there.
fn complete_inputs(inputs: ptr<function, DenseInputs>) {
  let first = max(abs((*inputs).vecs[0]), abs((*inputs).vecs[1]));
  let second = max(abs((*inputs).vecs[2]), abs((*inputs).vecs[3]));
  let range = int8_range(max(first, second));
  let inverse = 127.0 / range;
  (*inputs).scale = range * (1.0 / 127.0);
  (*inputs).codes = vec4<u32>(
    int8_word((*inputs).vecs[0], inverse),
    int8_word((*inputs).vecs[1], inverse),
    int8_word((*inputs).vecs[2], inverse),
    int8_word((*inputs).vecs[3], inverse),
  );
}

// The products of load `i` of a row with its inputs, summed: whole numbers below 2^18 within a block, then f32.
fn dense_dot(row: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  let codes = weight[row * ROW_LOADS + i];
  let scales = int8_scales(row, i / 4u);
  let x = (*inputs).codes;
  let first = RAISED_ZERO_BITS + dot4I8Packed(codes.x, x.x) + dot4I8Packed(codes.y, x.y);
  let second = RAISED_ZERO_BITS + dot4I8Packed(codes.z, x.z) + dot4I8Packed(codes.w, x.w);
  return fma(lowered(first), bf16_low(scales), lowered(second) * bf16_high(scales)) * (*inputs).scale;
}
