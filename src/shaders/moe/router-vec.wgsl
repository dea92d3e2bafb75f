// router-vec: logits[t,e] = router[e] . rms_norm(x[t]) + bias[e]; normed[t] = rms_norm(x[t]), which the experts take as input
//   x      : [T, H] f32 as vec4      gain : [H] bf16, four per vec2<u32>
//   weight : the router, [E, H] bf16 as in lib/dense-bf16.wgsl      bias : [E] bf16, two per u32
//   logits : [T, E] f32              normed : [T, H] f32 as vec4, rows in the order of lib/interleaved.wgsl
//   grid   : (E, T, 1); a workgroup makes one logit of one token and its share of the normed row    needs H % 32 == 0
//   sums   : f32, strided per lane, then over the workgroup. The norm's scale is one factor of the whole row, so its sum of
//            squares is a second sum of the same loop, made by every workgroup
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gain: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
@group(0) @binding(6) var<storage, read_write> normed: array<vec4<f32>>;

const ROUNDS: u32 = (ROW_LOADS + WG_SIZE - 1u) / WG_SIZE;
const VECS: u32 = H / 4u;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let expert = group.x;
  let token = group.y;
  if (step.stopped != 0u || token >= step.num_tokens || expert >= E) {
    return;
  }
  var sums = array<f32, NUM_SUMS>();
  // A constant number of rounds, the last of which repeats a load where there is none: so all can be under way at once.
  for (var round = 0u; round < ROUNDS; round++) {
    let i = min(lane.index + round * WG_SIZE, ROW_LOADS - 1u);
    let used = select(0.0, 1.0, lane.index + round * WG_SIZE < ROW_LOADS);
    var inputs: DenseInputs;
    sums[1] += used * gained_inputs(token * VECS, i, &inputs);
    sums[0] += used * dense_dot(expert, i, &inputs);
  }
  sums = workgroup_sum(sums, lane);
  let scale = inverseSqrt(sums[1] / f32(H) + EPS);
  if (lane.index == 0u) {
    logits[token * E + expert] = sums[0] * scale + bf16_select(bias[expert / 2u], expert);
  }
  for (var v = expert * VECS / E + lane.index; v < (expert + 1u) * VECS / E; v += WG_SIZE) {
    let pairs = gain[v];
    let gains = vec4<f32>(bf16_pair(pairs.x), bf16_pair(pairs.y));
    normed[token * VECS + interleaved(v, H / 32u)] = x[token * VECS + v] * scale * gains;
  }
}
