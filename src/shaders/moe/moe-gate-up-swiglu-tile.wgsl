// moe-gate-up-swiglu-tile: hidden[e] = swiglu(W[expert of e] . inputs[e / A] + bias), rows 2j gate_j, 2j+1 up_j,
// for entries e = token * A + slot, grouped by expert by moe-group
//   inputs  : [T, H] f32 as vec4, normed    entries, tiles : see moe-group
//   blocks, scales : [E, 2F, H] weights, see lib/expert-*.wgsl    bias : [E, 2F] bf16, a gate and its up per u32
//   hidden  : [T, A, F] f32
//   grid    : (2F / TILE_N rounded up, tile limit, 1), TILE_THREADS invocations    needs H % 32 == 0, F % 32 == 0
// Sums are f32 (lib/tile.wgsl or lib/tile-matrix.wgsl).
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> entries: array<u32>;
@group(0) @binding(3) var<storage, read> tiles: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> scales: array<u32>;
@group(0) @binding(6) var<storage, read> bias: array<u32>;
@group(0) @binding(7) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(8) var<uniform> part: BoundPart;

fn tile_input_row(tile: vec4<u32>, m: u32) -> u32 {
  return entries[tile.y + m] / A;
}

fn tile_weight_row(tile: vec4<u32>, row: u32) -> u32 {
  return expert_slot(tile.x) * (2u * F) + min(row, 2u * F - 1u);
}

// A gate and its up are neighbours.
fn tile_write(tile: vec4<u32>, m: u32, row: u32, sums: vec2<f32>) {
  let unit = row / 2u;
  if (unit < F) {
    let biased = sums + bf16_pair(bias[tile.x * F + unit]);
    hidden[entries[tile.y + m] * F + unit] = swiglu(biased.x, biased.y);
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
