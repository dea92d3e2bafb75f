// linear-residual-vec: out[t,n] += sum_k x[t,k] * weight[n,k] + bias[n]
//   x : [T, K] f32 as vec4    weight : [N, K] as in lib/dense-*    bias : [N] bf16, two per u32    out : [T, N] f32
//   grid : (ceil(N / ROWS), T, 1); a workgroup makes ROWS outputs of one token, its lanes stride over K
//   needs K % 8 == 0, for int8 K % 32 == 0    sums : f32 per lane, then over the workgroup
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

const ROUNDS: u32 = (ROW_LOADS + WG_SIZE - 1u) / WG_SIZE;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.y >= step.num_tokens) {
    return;
  }
  let first_row = group.x * ROWS;
  let input = group.y * (K / 4u);
  // What the end needs is loaded before the sums, so that it has arrived by then.
  let row = min(first_row + min(lane.index, ROWS - 1u), N - 1u);
  let residual = out[group.y * N + row] + bf16_select(bias[row / 2u], row);
  var sums = array<f32, NUM_SUMS>();
  // A constant number of rounds, the last of which repeats a load where there is none: so all can be under way at once.
  for (var round = 0u; round < ROUNDS; round++) {
    let i = min(lane.index + round * WG_SIZE, ROW_LOADS - 1u);
    let used = select(0.0, 1.0, lane.index + round * WG_SIZE < ROW_LOADS);
    var inputs: DenseInputs;
    for (var v = 0u; v < LOAD_VECS; v++) {
      inputs.vecs[v] = dense_x(input, dense_input(i, v));
    }
    complete_inputs(&inputs);
    for (var r = 0u; r < ROWS; r++) {
      sums[r] += used * dense_dot(min(first_row + r, N - 1u), i, &inputs);
    }
  }
  sums = workgroup_sum(sums, lane);
  if (lane.index < ROWS && first_row + lane.index < N) {
    var sum = sums[0];
    for (var r = 1u; r < ROWS; r++) {
      sum = select(sum, sums[r], lane.index == r); // no index that varies
    }
    out[group.y * N + row] = residual + sum;
  }
}
