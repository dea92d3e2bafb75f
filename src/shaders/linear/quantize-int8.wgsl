// quantize-int8: for each block of 32 weights, scale = bf16(max |w| / 127) and code = round(w / scale)
//   piece   : which blocks these are    weights : rows of row_blocks blocks of 32 bf16, or a part of one, eight per vec4<u32>
//   matrix  : as in lib/dense-int8.wgsl: codes, then from word `scales_at` the scales, two per u32
//   grid    : (ceil(num_groups / WG_SIZE), 1, 1); an invocation for a group of two blocks, the last of a row may have one.
//   Rows that end with such a group come whole. What pads them in the matrix is not written: it is zero
// Codes are found with the scale as it is stored, so that its rounding costs nothing: the largest weight is at most
// 127.25 scales. Ties go to even, exactly: products of a code and a scale have 15 bits. Blocks below 1e-30 become zero, since
// their scales could be subnormal.
@group(0) @binding(0) var<uniform> piece: Piece;
@group(0) @binding(1) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> matrix: array<u32>;

struct Piece {
  first_group: u32, // in the matrix
  num_groups: u32,
  scales_at: u32,   // word of the matrix's first scale
  row_blocks: u32,
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
  if (id.x >= piece.num_groups) {
    return;
  }
  let group = piece.first_group + id.x;
  let row_groups = (piece.row_blocks + 1u) / 2u;
  // Blocks of the piece before this group's: two a group, but for the last groups of odd rows, which come whole.
  let first = 2u * id.x - piece.row_blocks % 2u * (id.x / row_groups);
  let num_blocks = min(2u, piece.row_blocks - 2u * (group % row_groups));
  var scales = 0u;
  for (var b = 0u; b < num_blocks; b++) {
    var greatest = 0.0;
    for (var i = 0u; i < 4u; i++) {
      let pairs = weights[(first + b) * 4u + i];
      greatest = max(greatest, max(max(largest(pairs.x), largest(pairs.y)), max(largest(pairs.z), largest(pairs.w))));
    }
    let bits = scale_bits(greatest);
    let scale = bf16_low(bits);
    let inverse = select(0.0, 1.0 / max(scale, 1e-33), scale > 0.0);
    for (var i = 0u; i < 4u; i++) {
      let pairs = weights[(first + b) * 4u + i];
      put_four(group, 8u * b + 2u * i, four_codes(pairs.x, pairs.y, scale, inverse));
      put_four(group, 8u * b + 2u * i + 1u, four_codes(pairs.z, pairs.w, scale, inverse));
    }
    scales |= bits << (16u * b);
  }
  matrix[piece.scales_at + group] = scales;
}

// The four codes of vec4 `v` of a group: component v / 4 of its element v % 4.
fn put_four(group: u32, v: u32, codes: u32) {
  matrix[group * 16u + v % 4u * 4u + v / 4u] = codes;
}
