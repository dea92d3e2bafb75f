// moe-down-vec: x[t] += sum_a weight[t,a] * (W[e] . hidden[t,a] + bias[e]), e = expert[t,a]
//   hidden : [T, A, F] f32 as vec4, rows in the order of lib/interleaved.wgsl (moe-gate-up-swiglu-vec leaves them so)
//   routes : [T, A] (expert, its weight as f32 bits), as moe-gate-up-swiglu-vec leaves them
//   blocks, scales : [E, H, F] weights, see lib/expert-*.wgsl    bias : [E, H] bf16, two per u32
//   x      : [T, H] f32, updated in place
//   grid   : (H / ROWS, T, 1), one workgroup for ROWS rows of all A experts    needs F % 32 == 0, H % ROWS == 0
// Lanes stride over the blocks of all A experts as if they were one long row, each product weighted as it is added, so
// that one reduction ends it (lib/expert-rows.wgsl). Sums are f32.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> hidden: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> routes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> scales: array<u32>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read_write> x: array<f32>;
@group(0) @binding(7) var<uniform> part: BoundPart;

const ROUNDS: u32 = (A * KB + WG_SIZE - 1u) / WG_SIZE;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.y >= step.num_tokens) {
    return;
  }
  let first_entry = group.y * A;
  let first_row = group.x * ROWS;
  for (var round = 0u; round < ROUNDS; round++) {
    let i = min(lane + round * WG_SIZE, A * KB - 1u); // the last again where there is none, times 0
    let entry = first_entry + i / KB;
    let route = routes[entry];
    let is_here = expert_is_here(route.x);
    let is_used = is_here && lane + round * WG_SIZE < A * KB;
    // Lanes whose expert is elsewhere read one block of the first that is here, times 0.
    let row = select(0u, expert_slot(route.x), is_here) * H + first_row;
    let block = select(0u, i % KB, is_here);
    var taken: array<vec4<f32>, 8>;
    for (var j = 0u; j < 8u; j++) {
      taken[j] = hidden[(entry * 8u + j) * KB + block];
    }
    var inputs = expert_inputs(taken);
    let weight = select(0.0, expert_unit(&inputs) * bitcast<f32>(route.y), is_used);
    add_rows(row, block, &inputs, weight, lane, round == 0u);
  }
  finish_rows(lane);
  for (var r = lane; r < ROWS; r += WG_SIZE) {
    x[group.y * H + first_row + r] += row_sum(r) + weighted_bias(first_entry, first_row + r);
  }
}

fn weighted_bias(first_entry: u32, row: u32) -> f32 {
  var sum = 0.0;
  for (var a = 0u; a < A; a++) {
    let route = routes[first_entry + a];
    let element = min(route.x, E - 1u) * H + row;
    if (expert_is_here(route.x)) {
      sum += bitcast<f32>(route.y) * bf16_select(bias[element / 2u], element);
    }
  }
  return sum;
}
