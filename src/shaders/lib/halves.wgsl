// Eight weights as f16, in the order 0 4 1 5 2 6 3 7, from a library with expand_weights whose weights have no more bits
// than f16 (for lib/tile-matrix.wgsl).
const WEIGHT_HALVES: u32 = 1u;

fn expand_halves(raw: RawWeights, part: u32) -> vec4<u32> {
  let eight = expand_weights(raw, part);
  return pack_eight(eight[0], eight[1]);
}

fn expand_rests(raw: RawWeights, part: u32) -> vec4<u32> {
  return vec4<u32>();
}
