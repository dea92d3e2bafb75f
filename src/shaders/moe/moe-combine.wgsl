// moe-combine: x[t] += sum_a weights[t,a] * expert_out[t,a]
//   weights : [T, A] f32    expert_out : [T, A, H] f32 as vec4    x : [T, H] f32 as vec4, updated in place
//   grid    : (H / 4 / WG_SIZE rounded up, T, 1)    needs H % 4 == 0    sums are f32, in the order of a
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> expert_out: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let column = group.x * WG_SIZE + lane;
  if (step.stopped != 0u || group.y >= step.num_tokens || column >= H / 4u) {
    return;
  }
  var sum = vec4<f32>();
  for (var a = 0u; a < A; a++) {
    let entry = group.y * A + a;
    sum += weights[entry] * expert_out[entry * (H / 4u) + column];
  }
  x[group.y * (H / 4u) + column] += sum;
}
