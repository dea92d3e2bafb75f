// Eights of a row's weights as stored, and one of them expanded (for lib/tile.wgsl, after lib/dense-bf16.wgsl).
const TILE_COLUMNS: u32 = WEIGHT_COLUMNS;

struct RawWeights {
  pairs: array<vec4<u32>, PARTS>,
}

fn tile_column(column: u32) -> u32 {
  return column;
}

fn raw_weights(row: u32, block: u32, first: u32) -> RawWeights {
  var raw = RawWeights();
  for (var part = 0u; part < PARTS; part++) {
    let octet = block * 4u + first + part;
    if (WEIGHT_COLUMNS % 32u == 0u || octet < ROW_LOADS) {
      raw.pairs[part] = weight[row * ROW_LOADS + octet];
    }
  }
  return raw;
}

fn expand_weights(raw: RawWeights, part: u32) -> array<vec4<f32>, 2> {
  let pairs = raw.pairs[part];
  return array<vec4<f32>, 2>(
    vec4<f32>(bf16_pair(pairs.x), bf16_pair(pairs.y)),
    vec4<f32>(bf16_pair(pairs.z), bf16_pair(pairs.w)),
  );
}
