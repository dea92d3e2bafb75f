// Eights of a row's weights as stored, and one of them expanded (for lib/tile.wgsl, after lib/expert-mxfp4.wgsl).
const TILE_COLUMNS: u32 = K;

struct RawWeights {
  codes: array<u32, PARTS>,
  scale: u32,
}

fn tile_column(column: u32) -> u32 {
  return column;
}

fn raw_weights(row: u32, block: u32, first: u32) -> RawWeights {
  let index = row * KB + block;
  let words = blocks[index];
  var raw: RawWeights;
  for (var part = 0u; part < PARTS; part++) {
    if (PARTS == 4u) {
      raw.codes[part] = words[part];
    } else {
      raw.codes[part] = select(words[part], words[2u + part], first != 0u); // of two: no index that varies
    }
  }
  raw.scale = mxfp4_scale_byte(scales[index / 4u], index);
  return raw;
}

fn expand_weights(raw: RawWeights, part: u32) -> array<vec4<f32>, 2> {
  let eight = mxfp4_eight(raw.codes[part]);
  let factors = mxfp4_factors(raw.scale);
  return array<vec4<f32>, 2>(eight[0] * factors.x * factors.y, eight[1] * factors.x * factors.y);
}
