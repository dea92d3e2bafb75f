// moe-down-tile: expert_out[e] = W[expert of e] . inputs[e] + bias, for entries e = token * A + slot, grouped by expert
// by moe-group
//   inputs  : [T, A, F] f32 as vec4         entries, tiles : see moe-group
//   blocks, scales : [E, H, F] weights, see lib/expert-*.wgsl    bias : [E, H] bf16, two per u32
//   expert_out : [T, A, H] f32, not yet weighted
//   grid    : (H / 64 rounded up, tile limit, 1), TILE_THREADS invocations    needs F % 32 == 0
// Sums are f32 over blocks of 32 in order (lib/tile.wgsl).
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> entries: array<u32>;
@group(0) @binding(3) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> scales: array<u32>;
@group(0) @binding(6) var<storage, read> bias: array<u32>;
@group(0) @binding(7) var<storage, read_write> expert_out: array<f32>;

// Tokens beyond the tile's repeat its last one; they are not written, nor are rows beyond H.
fn tile_input_row(tile: vec4<u32>, m: u32) -> u32 {
  return entries[tile.y + min(m, tile.z - 1u)];
}

fn tile_weight_row(tile: vec4<u32>, first_row: u32, n: u32) -> u32 {
  return expert_slot(tile.x) * H + min(first_row + n, H - 1u);
}

@compute @workgroup_size(TILE_THREADS)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let tile = tiles[group.y];
  if (step.stopped != 0u || tile.z == 0u || !expert_is_here(tile.x)) {
    return;
  }
  let first_row = group.x * TILE_N;
  let sums = tile_products(thread, tile, first_row);
  for (var j = 0u; j < 8u; j++) {
    let row = first_row + thread % 8u + 8u * j;
    let element = tile.x * H + min(row, H - 1u);
    let row_bias = bf16_select(bias[element / 2u], element);
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      let m = thread / 8u + TILE_Y * i;
      if (row < H && m < tile.z) {
        expert_out[entries[tile.y + m] * H + row] = sums[2u * i + j / 4u][j % 4u] + row_bias;
      }
    }
  }
}
