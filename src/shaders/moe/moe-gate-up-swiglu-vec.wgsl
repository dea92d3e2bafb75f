// moe-gate-up-swiglu-vec: hidden[t,a] = swiglu(W[ids[t,a]] . inputs[t] + bias[ids[t,a]]), rows 2j gate_j, 2j+1 up_j
//   inputs : [T, H] f32 as vec4, normed, rows in the order of lib/interleaved.wgsl (router-topk leaves them so)
//   ids    : [T, A] u32                        bias : [E, 2F] bf16, a gate and its up per u32
//   blocks, scales : [E, 2F, H] weights, see lib/expert-*.wgsl
//   hidden : [T, A, F] f32, rows in that order too
//   grid   : (2F / ROWS, A, T), one workgroup for ROWS rows of one expert    needs H % 32 == 0, 2F % ROWS == 0, even ROWS
// Lanes stride over the blocks of 32 weights; each reads its inputs once for all ROWS rows. Sums are f32.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> scales: array<u32>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read_write> hidden: array<f32>;

const ROUNDS: u32 = (KB + WG_SIZE - 1u) / WG_SIZE;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.z >= step.num_tokens) {
    return;
  }
  let entry = group.z * A + group.y;
  let expert = min(ids[entry], E - 1u);
  if (!expert_is_here(expert)) {
    return;
  }
  let first_row = expert_slot(expert) * (2u * F) + group.x * ROWS;
  var sums = array<f32, NUM_SUMS>();
  // A constant number of rounds, the last of which repeats a block where there is none: so all loads can be under way at once.
  for (var round = 0u; round < ROUNDS; round++) {
    let block = min(lane.index + round * WG_SIZE, KB - 1u);
    let used = select(0.0, 1.0, lane.index + round * WG_SIZE < KB);
    var taken: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
      taken[i] = inputs[(group.z * 8u + i) * KB + block];
    }
    for (var r = 0u; r < ROWS; r++) {
      sums[r] += used * expert_block_dot(first_row + r, block, &taken);
    }
  }
  sums = workgroup_sum(sums, lane);
  for (var pair = 0u; pair < ROWS / 2u; pair++) {
    if (lane.index == pair) {
      let unit = group.x * (ROWS / 2u) + pair;
      let biases = bf16_pair(bias[expert * F + unit]);
      let at = interleaved(unit / 4u, F / 32u) * 4u + unit % 4u;
      hidden[entry * F + at] = swiglu(sums[2u * pair] + biases.x, sums[2u * pair + 1u] + biases.y);
    }
  }
}
