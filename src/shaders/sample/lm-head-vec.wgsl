// lm-head-vec: logits[v] = sum_h rms_norm(x[last])[h] * weight[v,h], and the best candidate of every workgroup
//   x : [T, H] f32 as vec4, of which only the last token counts    gain : [H] bf16
//   weight : [WEIGHT_ROWS, H] as in lib/dense-*, rows part.first .. (0 .. where IS_WHOLE) of [V, H]: only their ids are served
//   allowed : [ceil(V / 32)] bit mask of ids that may be sampled    logits : [V] f32
//   candidates : scores of all groups as f32 bits, and from word IDS_AT on their ids; the score is the logit, or
//            logit / temperature + Gumbel noise
//   grid   : groups spread over x and y, ROWS ids a workgroup    needs H % 8 == 0, for int8 H % 32 == 0, part.first % ROWS == 0
//   The norm's scale is a common factor, so its sum of squares is one more sum of the same pass.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gain: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> allowed: array<u32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
@group(0) @binding(6) var<storage, read_write> candidates: array<u32>;
@group(0) @binding(7) var<uniform> part: BoundPart;

const NEVER: f32 = -3.0e38;
const ROUNDS: u32 = (ROW_LOADS + WG_SIZE - 1u) / WG_SIZE;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let tile = group.y * groups.x + group.x;
  let first_row = tile * ROWS; // of those that are bound
  if (step.stopped != 0u || first_row >= WEIGHT_ROWS) {
    return;
  }
  let input = (step.num_tokens - 1u) * (H / 4u);
  var sums = array<f32, NUM_SUMS>();
  // A constant number of rounds, the last of which repeats a load where there is none: so all can be under way at once.
  for (var round = 0u; round < ROUNDS; round++) {
    let i = min(lane.index + round * WG_SIZE, ROW_LOADS - 1u);
    let used = select(0.0, 1.0, lane.index + round * WG_SIZE < ROW_LOADS);
    var inputs: DenseInputs;
    sums[ROWS] += used * gained_inputs(input, i, &inputs);
    for (var r = 0u; r < ROWS; r++) {
      sums[r] += used * dense_dot(min(first_row + r, WEIGHT_ROWS - 1u), i, &inputs);
    }
  }
  let totals = workgroup_sum(sums, lane);
  if (lane.index != 0u) {
    return;
  }
  let scale = inverseSqrt(totals[ROWS] / f32(H) + EPS);
  var best_score = NEVER;
  var first_id = first_row;
  if (!IS_WHOLE) {
    first_id += part.first;
  }
  var best_id = first_id;
  for (var r = 0u; r < ROWS; r++) {
    let id = first_id + r;
    if (first_row + r < WEIGHT_ROWS) {
      let logit = totals[r] * scale;
      logits[id] = logit;
      var score = logit;
      if (step.inv_temperature > 0.0) {
        score = logit * step.inv_temperature + gumbel(step.seed, step.num_generated, id);
      }
      let is_allowed = ((allowed[id / 32u] >> (id % 32u)) & 1u) == 1u;
      if (is_allowed && score > best_score) {
        best_score = score;
        best_id = id;
      }
    }
  }
  let candidate = first_id / ROWS;
  candidates[candidate] = bitcast<u32>(best_score);
  candidates[IDS_AT + candidate] = best_id;
}
