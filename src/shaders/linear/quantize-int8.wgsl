// quantize-int8: for each block of 32 weights, scale = bf16(max |w| / 127) and code = round(w / scale)
//   piece   : which blocks these are    weights : [num_blocks, 32] bf16, eight per vec4<u32>
//   matrix  : as in lib/dense-int8.wgsl: codes, then from word `scales_at` the scales, two per u32
//   grid    : (ceil(num_blocks / 2 / WG_SIZE), 1, 1); an invocation for two blocks, whose scales share a word
//   needs an even first_block; an odd num_blocks at the end of the matrix only
// Codes are found with the scale as it is stored, so that its rounding costs nothing: the largest weight is at most
// 127.25 scales. Ties go to even, exactly: products of a code and a scale have 15 bits. Blocks below 1e-30 become zero, since
// their scales could be subnormal.
@group(0) @binding(0) var<uniform> piece: Piece;
@group(0) @binding(1) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> matrix: array<u32>;

struct Piece {
  first_block: u32, // in the matrix
  num_blocks: u32,
  scales_at: u32,   // word of the matrix's first scale
  padding: u32,
}

fn largest(pair: u32) -> f32 {
  let magnitudes = abs(bf16_pair(pair));
  return max(magnitudes.x, magnitudes.y);
}

// max |w| / 127 as bf16, to nearest.
fn scale_bits(greatest: f32) -> u32 {
  if (greatest < 1e-30) {
    return 0u;
  }
  let bits = bitcast<u32>(greatest * (1.0 / 127.0));
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

fn code(weight: f32, scale: f32, inverse: f32) -> u32 {
  var nearest = round(weight * inverse);
  let rest = weight - nearest * scale;
  if (2.0 * abs(rest) == scale && abs(nearest) % 2.0 == 1.0) {
    nearest += sign(rest); // a tie that the inverse's rounding took to odd
  }
  return bitcast<u32>(i32(clamp(nearest, -127.0, 127.0))) & 0xffu;
}

fn four_codes(first: u32, second: u32, scale: f32, inverse: f32) -> u32 {
  let a = bf16_pair(first);
  let b = bf16_pair(second);
  return code(a.x, scale, inverse) | (code(a.y, scale, inverse) << 8u)
    | (code(b.x, scale, inverse) << 16u) | (code(b.y, scale, inverse) << 24u);
}

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = 2u * id.x;
  if (first >= piece.num_blocks) {
    return;
  }
  var scales = 0u;
  for (var block = first; block < min(first + 2u, piece.num_blocks); block++) {
    var greatest = 0.0;
    for (var i = 0u; i < 4u; i++) {
      let pairs = weights[block * 4u + i];
      greatest = max(greatest, max(max(largest(pairs.x), largest(pairs.y)), max(largest(pairs.z), largest(pairs.w))));
    }
    let bits = scale_bits(greatest);
    let scale = bf16_low(bits);
    let inverse = select(0.0, 1.0 / max(scale, 1e-33), scale > 0.0);
    for (var i = 0u; i < 4u; i++) {
      let pairs = weights[block * 4u + i];
      let at = (piece.first_block + block) * 8u + 2u * i;
      matrix[at] = four_codes(pairs.x, pairs.y, scale, inverse);
      matrix[at + 1u] = four_codes(pairs.z, pairs.w, scale, inverse);
    }
    scales |= bits << (16u * (block - first));
  }
  matrix[piece.scales_at + (piece.first_block + first) / 2u] = scales;
}
