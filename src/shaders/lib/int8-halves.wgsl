// Eight weights as f16 in two parts, in the order 0 4 1 5 2 6 3 7 (after lib/dense-int8-tile.wgsl, for
// lib/tile-matrix.wgsl). A code times a scale has 15 bits, of which one f16 holds 11.
const WEIGHT_HALVES: u32 = 2u;

fn expand_halves(raw: RawWeights, part: u32) -> vec4<u32> {
  let eight = expand_weights(raw, part);
  return pack_eight(nearest_half(eight[0]), nearest_half(eight[1]));
}

fn expand_rests(raw: RawWeights, part: u32) -> vec4<u32> {
  let eight = expand_weights(raw, part);
  return pack_eight(eight[0] - nearest_half(eight[0]), eight[1] - nearest_half(eight[1]));
}

// Values of 11 bits, as f16 has. By integers, so that no compiler takes the rests for zeros.
fn nearest_half(values: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>((bitcast<vec4<u32>>(values) + vec4<u32>(0x1000u)) & vec4<u32>(0xffffe000u));
}
