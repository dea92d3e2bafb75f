// moe-gate-up-swiglu-tile: hidden[e] = swiglu(W[expert of e] . inputs[e / A] + bias), rows 2j gate_j, 2j+1 up_j,
// for entries e = token * A + slot, grouped by expert by moe-group
//   inputs  : [T, H] f32 as vec4, normed    entries, tiles : see moe-group
//   blocks, scales : [E, 2F, H] weights, see lib/expert-*.wgsl    bias : [E, 2F] bf16, a gate and its up per u32
//   hidden  : [T, A, F] f32
//   grid    : (2F / 64, tile limit, 1), TILE_THREADS invocations    needs H % 32 == 0, F % 32 == 0
// Sums are f32 over blocks of 32 in order. A tile's columns are its 32 gates, then their 32 ups, so that one invocation
// holds both of a pair (lib/tile.wgsl).
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> entries: array<u32>;
@group(0) @binding(3) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> scales: array<u32>;
@group(0) @binding(6) var<storage, read> bias: array<u32>;
@group(0) @binding(7) var<storage, read_write> hidden: array<f32>;

// Tokens beyond the tile's repeat its last one; they are not written.
fn tile_input_row(tile: vec4<u32>, m: u32) -> u32 {
  return entries[tile.y + min(m, tile.z - 1u)] / A;
}

fn tile_weight_row(tile: vec4<u32>, first_row: u32, n: u32) -> u32 {
  return expert_slot(tile.x) * (2u * F) + first_row + 2u * (n % 32u) + n / 32u;
}

@compute @workgroup_size(TILE_THREADS)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let tile = tiles[group.y];
  if (step.stopped != 0u || tile.z == 0u || !expert_is_here(tile.x)) {
    return;
  }
  let sums = tile_products(thread, tile, group.x * TILE_N);
  for (var j = 0u; j < 4u; j++) {
    let unit = group.x * (TILE_N / 2u) + thread % 8u + 8u * j;
    let biases = bf16_pair(bias[tile.x * F + unit]);
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      let m = thread / 8u + TILE_Y * i;
      if (m < tile.z) {
        hidden[entries[tile.y + m] * F + unit] = swiglu(sums[2u * i][j] + biases.x, sums[2u * i + 1u][j] + biases.y);
      }
    }
  }
}
