// Expert weights as MXFP4 (after lib/mxfp4.wgsl). Same functions as lib/expert-bf16.wgsl, one of the two is used.
// Needs: E experts, KB blocks of 32 weights a row; bindings `blocks: array<vec4<u32>>` [rows, KB] and
// `scales: array<u32>` [rows, KB] bytes, whose rows need not start at a word. A row counts over all stored experts.

// Where an expert stands in the weights. A table of resident experts would be read here.
fn expert_slot(expert: u32) -> u32 {
  return min(expert, E - 1u);
}

// The dot product of one block of a row with 32 inputs.
fn expert_block_dot(row: u32, block: u32, inputs: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let index = row * KB + block;
  let codes = blocks[index];
  var sums = mxfp4_quarters(codes.x) * (*inputs)[0];
  sums = fma(mxfp4_quarters(codes.x >> 16u), (*inputs)[1], sums);
  sums = fma(mxfp4_quarters(codes.y), (*inputs)[2], sums);
  sums = fma(mxfp4_quarters(codes.y >> 16u), (*inputs)[3], sums);
  sums = fma(mxfp4_quarters(codes.z), (*inputs)[4], sums);
  sums = fma(mxfp4_quarters(codes.z >> 16u), (*inputs)[5], sums);
  sums = fma(mxfp4_quarters(codes.w), (*inputs)[6], sums);
  sums = fma(mxfp4_quarters(codes.w >> 16u), (*inputs)[7], sums);
  let factors = mxfp4_factors(mxfp4_scale_byte(scales[index / 4u], index));
  return dot(sums, vec4<f32>(1.0)) * factors.x * factors.y;
}

// 32 weights of a row as stored, and eight of them expanded (for lib/tile.wgsl).
struct RawWeights {
  codes: vec4<u32>,
  scale: u32,
}

fn raw_weights(row: u32, block: u32) -> RawWeights {
  let index = row * KB + block;
  return RawWeights(blocks[index], mxfp4_scale_byte(scales[index / 4u], index));
}

fn expand_weights(raw: RawWeights, part: u32) -> array<vec4<f32>, 2> {
  let codes = raw.codes[part];
  let factors = mxfp4_factors(raw.scale);
  return array<vec4<f32>, 2>(
    mxfp4_quarters(codes) * factors.x * factors.y,
    mxfp4_quarters(codes >> 16u) * factors.x * factors.y,
  );
}
