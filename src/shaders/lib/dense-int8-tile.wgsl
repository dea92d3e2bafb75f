// Eights of a row's weights as stored, and one of them expanded (for lib/tile.wgsl, after lib/int8-rows.wgsl and lib/dense-int8.wgsl). A step's 32
// weights are two elements of a group as they stand, so half of both its blocks.
const TILE_COLUMNS: u32 = 64u * ROW_GROUPS;

struct RawWeights {
  codes: array<vec2<u32>, PARTS>,
  scales: u32,
}

// The vec4 of a row that is number `column` in the order of the steps.
fn tile_column(column: u32) -> u32 {
  return column / 16u * 16u + column / 8u % 2u * 2u + column % 4u * 4u + column / 4u % 2u;
}

fn raw_weights(row: u32, block: u32, first: u32) -> RawWeights {
  let at = row * ROW_LOADS + block * 2u;
  var raw = RawWeights();
  for (var part = 0u; part < PARTS; part++) {
    let eight = first + part;
    let codes = weight[at + eight / 2u];
    raw.codes[part] = select(codes.xy, codes.zw, eight % 2u == 1u);
  }
  raw.scales = int8_scales(row, block / 2u);
  return raw;
}

// `first` of raw_weights is even, so the parity of `part` says which block it is of.
fn expand_weights(raw: RawWeights, part: u32) -> array<vec4<f32>, 2> {
  let codes = raw.codes[part];
  let scale = bf16_select(raw.scales, part);
  return array<vec4<f32>, 2>(
    (int8_four_raised(codes.x) - 384.0) * scale,
    (int8_four_raised(codes.y) - 384.0) * scale,
  );
}
