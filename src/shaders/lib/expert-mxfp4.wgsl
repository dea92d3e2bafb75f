// Expert weights as MXFP4 (after lib/mxfp4.wgsl or lib/mxfp4-half.wgsl). Same functions as lib/expert-bf16.wgsl, one of the two is used.
// Needs: E, FIRST_EXPERT, PART_EXPERTS, KB blocks of 32 weights a row; bindings `blocks: array<vec4<u32>>` [rows, KB] and
// `scales: array<u32>` [rows, KB] bytes, whose rows need not start at a word. A row counts over the bound experts.

// Where an expert stands in the bound weights: those of experts FIRST_EXPERT to FIRST_EXPERT + PART_EXPERTS - 1.
fn expert_slot(expert: u32) -> u32 {
  return min(expert, E - 1u) - FIRST_EXPERT;
}

// Whether an expert's weights are bound. Always, where they need no more than one buffer.
fn expert_is_here(expert: u32) -> bool {
  return PART_EXPERTS == E || expert_slot(expert) < PART_EXPERTS;
}

// The dot product of one block of a row with 32 inputs.
fn expert_block_dot(row: u32, block: u32, inputs: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let index = row * KB + block;
  let codes = blocks[index];
  let a = mxfp4_eight(codes.x);
  let b = mxfp4_eight(codes.y);
  let c = mxfp4_eight(codes.z);
  let d = mxfp4_eight(codes.w);
  var sums = a[0] * (*inputs)[0];
  sums = fma(a[1], (*inputs)[1], sums);
  sums = fma(b[0], (*inputs)[2], sums);
  sums = fma(b[1], (*inputs)[3], sums);
  sums = fma(c[0], (*inputs)[4], sums);
  sums = fma(c[1], (*inputs)[5], sums);
  sums = fma(d[0], (*inputs)[6], sums);
  sums = fma(d[1], (*inputs)[7], sums);
  let factors = mxfp4_factors(mxfp4_scale_byte(scales[index / 4u], index));
  return dot(sums, vec4<f32>(1.0)) * factors.x * factors.y;
}
