// mxfp4-decode: values[32 b + i] = code(b, i) * 2^(scale(b) - 127), exact where f32 holds it as a normal number
//   blocks : [NUM_BLOCKS] vec4<u32>    scales : [NUM_BLOCKS] bytes, four per u32    values : [NUM_BLOCKS, 32] f32 as vec4
//   grid   : (NUM_BLOCKS / WG_SIZE, 1, 1), one invocation a block
@group(0) @binding(0) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.x;
  if (block >= NUM_BLOCKS) {
    return;
  }
  let codes = blocks[block];
  let factors = mxfp4_factors(mxfp4_scale_byte(scales[block / 4u], block));
  for (var i = 0u; i < 4u; i++) {
    let eight = mxfp4_eight(codes[i]);
    values[block * 8u + i * 2u] = eight[0] * factors.x * factors.y;
    values[block * 8u + i * 2u + 1u] = eight[1] * factors.x * factors.y;
  }
}
