// moe-down-tile: expert_out[e] = W[expert of e] . inputs[e] + bias, for entries e = token * A + slot, grouped by expert
// by moe-group
//   inputs  : [T, A, F] f32 as vec4         entries, tiles : see moe-group
//   blocks, scales : [E, H, F] weights, see lib/expert-*.wgsl    bias : [E, H] bf16, two per u32
//   expert_out : [T, A, H] f32, not yet weighted
//   grid    : (H / TILE_N rounded up, tile limit, 1), TILE_THREADS invocations    needs F % 32 == 0
// Sums are f32 (lib/tile.wgsl or lib/tile-matrix.wgsl).
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> entries: array<u32>;
@group(0) @binding(3) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> scales: array<u32>;
@group(0) @binding(6) var<storage, read> bias: array<u32>;
@group(0) @binding(7) var<storage, read_write> expert_out: array<f32>;
@group(0) @binding(8) var<uniform> part: BoundPart;

fn tile_input_row(tile: vec4<u32>, m: u32) -> u32 {
  return entries[tile.y + m];
}

fn tile_weight_row(tile: vec4<u32>, row: u32) -> u32 {
  return expert_slot(tile.x) * H + min(row, H - 1u);
}

fn tile_write(tile: vec4<u32>, m: u32, row: u32, sums: vec2<f32>) {
  if (row < H) { // even, as is H
    let biased = sums + bf16_pair(bias[(tile.x * H + row) / 2u]);
    let at = entries[tile.y + m] * H + row;
    expert_out[at] = biased.x;
    expert_out[at + 1u] = biased.y;
  }
}

@compute @workgroup_size(TILE_THREADS)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let tile = tiles[group.y];
  if (step.stopped != 0u || tile.z == 0u || !expert_is_here(tile.x)) {
    return;
  }
  tile_products(thread, tile, group.x * TILE_N);
}
