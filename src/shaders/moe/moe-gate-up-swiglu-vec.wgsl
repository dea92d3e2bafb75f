// moe-gate-up-swiglu-vec: hidden[t,a] = swiglu(W[e] . inputs[t] + bias[e]), e the a-th expert of token t; rows 2j gate_j, 2j+1 up_j
//   inputs : [T, H] f32 as vec4, normed, rows in the order of lib/interleaved.wgsl (router-vec leaves them so)
//   logits : [T, E] f32, from which every workgroup chooses, see lib/choose-experts-*
//   bias   : [E, 2F] bf16, a gate and its up per u32
//   blocks, scales : [E, 2F, H] weights, see lib/expert-*.wgsl
//   hidden : [T, A, F] f32, rows in that order too
//   routes : [T, A] (expert, its weight as f32 bits), for moe-down-vec
//   grid   : (2F / ROWS, A, T), one workgroup for ROWS rows of one expert    needs H % 32 == 0, 2F % ROWS == 0, even ROWS
// Lanes stride over the blocks of 32 weights; each reads its inputs once for all ROWS rows (lib/expert-rows.wgsl). Sums are f32.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> scales: array<u32>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(7) var<storage, read_write> routes: array<vec2<u32>>;
@group(0) @binding(8) var<uniform> part: BoundPart;

const ROUNDS: u32 = (KB + WG_SIZE - 1u) / WG_SIZE;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.z >= step.num_tokens) {
    return;
  }
  let entry = group.z * A + group.y;
  let route = choose_expert(group.z, group.y, group.x == 0u, lane);
  let expert = route.expert;
  if (group.x == 0u && lane.index == 0u) {
    routes[entry] = vec2<u32>(expert, bitcast<u32>(route.weight));
  }
  let first_row = expert_slot(expert) * (2u * F) + group.x * ROWS;
  for (var round = 0u; round < ROUNDS; round++) {
    if (!expert_is_here(expert)) {
      break; // no return: the compiler must see that all invocations reach the barriers of the sums
    }
    let block = min(lane.index + round * WG_SIZE, KB - 1u); // the last again where there is none, times 0
    var taken: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
      taken[i] = inputs[(group.z * 8u + i) * KB + block];
    }
    var block_inputs = expert_inputs(taken);
    let factor = select(0.0, expert_unit(&block_inputs), lane.index + round * WG_SIZE < KB);
    add_rows(first_row, block, &block_inputs, factor, lane.index, round == 0u);
  }
  finish_rows(lane.index);
  for (var pair = lane.index; pair < ROWS / 2u && expert_is_here(expert); pair += WG_SIZE) {
    let unit = group.x * (ROWS / 2u) + pair;
    let biases = bf16_pair(bias[expert * F + unit]);
    let at = interleaved(unit / 4u, F / 32u) * 4u + unit % 4u;
    hidden[entry * F + at] = swiglu(row_sum(2u * pair) + biases.x, row_sum(2u * pair + 1u) + biases.y);
  }
}
