// Eight weights as f16, in the order 0 4 1 5 2 6 3 7, from a library with expand_weights (for lib/tile-matrix.wgsl).
fn expand_halves(raw: RawWeights, part: u32) -> vec4<u32> {
  let eight = expand_weights(raw, part);
  return vec4<u32>(
    pack2x16float(vec2<f32>(eight[0].x, eight[1].x)),
    pack2x16float(vec2<f32>(eight[0].y, eight[1].y)),
    pack2x16float(vec2<f32>(eight[0].z, eight[1].z)),
    pack2x16float(vec2<f32>(eight[0].w, eight[1].w)),
  );
}
