// Eights of a row's weights as stored, and one of them expanded (for lib/tile.wgsl, after lib/dense-int8.wgsl).
struct RawWeights {
  codes: array<vec2<u32>, PARTS>,
  scale: f32,
}

fn raw_weights(row: u32, block: u32, first: u32) -> RawWeights {
  let at = row * ROW_LOADS + block * 2u;
  var raw = RawWeights();
  for (var part = 0u; part < PARTS; part++) {
    let eight = first + part;
    let codes = weight[at + eight / 2u];
    raw.codes[part] = select(codes.xy, codes.zw, eight % 2u == 1u);
  }
  raw.scale = int8_scale(at / 2u);
  return raw;
}

fn expand_weights(raw: RawWeights, part: u32) -> array<vec4<f32>, 2> {
  let codes = raw.codes[part];
  return array<vec4<f32>, 2>(int8_four(codes.x) * raw.scale, int8_four(codes.y) * raw.scale);
}
