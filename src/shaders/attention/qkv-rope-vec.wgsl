// qkv-rope-vec: qkv[t] = W . rmsnorm(x[t]) + bias; q and k rotated; q to `q`, k and v to the KV cache
//   x      : [T, H] f32 as vec4    gain : [H] bf16, four per vec2<u32>
//   weight : [(Q+2K)*D, H] as in lib/dense-*: q rows, k rows, v rows
//   bias   : [(Q+2K)*D] bf16, four per vec2<u32>
//   rope, q, keys, values : as in lib/rope-kv.wgsl
//   grid   : ((Q+2K)*D/8, T, 1); one workgroup for the 8 rows of four rotary pairs of one head, so that it can rotate
//            and store them    needs H % 8 == 0, for int8 H % 32 == 0, D % 8 == 0
//   sums   : f32, strided per lane, then over the workgroup. The norm's scale is one factor of the whole row, so its
//            sum of squares is a ninth sum of the same loop
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gain: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> bias: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> rope: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> keys: array<KvVec>;
@group(0) @binding(8) var<storage, read_write> values: array<KvVec>;

const SQUARES: u32 = 8u; // index of the norm's sum

fn bias_at(row: u32) -> vec4<f32> {
  let packed = bias[row / 4u];
  return vec4<f32>(bf16_pair(packed.x), bf16_pair(packed.y));
}

const ROUNDS: u32 = (ROW_LOADS + WG_SIZE - 1u) / WG_SIZE;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let head = group.x / HALF_VECS;
  let pairs = group.x % HALF_VECS;
  let token = group.y;
  if (step.stopped != 0u || token >= step.num_tokens || head >= Q + 2u * K) {
    return;
  }
  let first_row = head * D + 4u * pairs;
  let second_row = first_row + D / 2u;
  // What the end needs is loaded before the sums, so that it has arrived by then.
  let first_bias = bias_at(first_row);
  let second_bias = bias_at(second_row);
  let turn = turn_at(step.position + token, pairs);
  var sums = array<f32, NUM_SUMS>();
  // A constant number of rounds, the last of which repeats a load where there is none: so all can be under way at once.
  for (var round = 0u; round < ROUNDS; round++) {
    let i = min(lane.index + round * WG_SIZE, ROW_LOADS - 1u);
    let used = select(0.0, 1.0, lane.index + round * WG_SIZE < ROW_LOADS);
    var inputs: DenseInputs;
    sums[SQUARES] += used * gained_inputs(token * (H / 4u), i, &inputs);
    for (var r = 0u; r < 4u; r++) {
      sums[r] += used * dense_dot(first_row + r, i, &inputs);
      sums[4u + r] += used * dense_dot(second_row + r, i, &inputs);
    }
  }
  sums = workgroup_sum(sums, lane);
  if (lane.index == 0u) {
    let scale = inverseSqrt(sums[SQUARES] / f32(H) + EPS);
    let first = vec4<f32>(sums[0], sums[1], sums[2], sums[3]) * scale + first_bias;
    let second = vec4<f32>(sums[4], sums[5], sums[6], sums[7]) * scale + second_bias;
    store_pairs(token, head, pairs, RotaryPairs(first, second), turn);
  }
}
