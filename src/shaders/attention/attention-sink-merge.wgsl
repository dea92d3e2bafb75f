// attention-sink-merge: joins the splits of attention-sink-decode and adds the sink, once, to the denominator
//   partials : [T, Q, MAX_SPLITS] records of 1 + D/4 vec4: (m, l, splits in use, 0), then the weighted sum of values;
//              the first record of a head says how many are in use
//   sinks    : [Q] bf16, two per u32    out : [T, Q, D] f32 as vec4
//   grid     : (Q, T, 1), one workgroup a head
//   sums     : f32, splits strided over lanes, then in lane order
//   needs D % 4 == 0, D/4 <= WG_SIZE, MAX_SPLITS % 4 == 0, MAX_SPLITS <= WG_SIZE
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> sinks: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

const HEAD_VECS: u32 = D / 4u;
const RECORD_VECS: u32 = HEAD_VECS + 1u;
const SPLIT_LANES: u32 = WG_SIZE / HEAD_VECS;
const ROUNDS: u32 = (MAX_SPLITS + SPLIT_LANES - 1u) / SPLIT_LANES;
const MASKED: f32 = -3e38;

var<workgroup> largest: array<f32, MAX_SPLITS>; // not in vec4s: the write of one component may write the others as well
var<workgroup> shares: array<vec2<f32>, MAX_SPLITS>; // of a split's sum of values, and its part of the denominator
var<workgroup> parts: array<vec4<f32>, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let token = group.y;
  if (step.stopped != 0u || token >= step.num_tokens) {
    return;
  }
  let row = token * Q + group.x;
  let base = row * MAX_SPLITS * RECORD_VECS;
  // Everything is asked for before anything is waited for: records that are not in use hold what was there before.
  let num_splits = min(u32(partials[base].z), MAX_SPLITS);
  let own = min(lane, MAX_SPLITS - 1u);
  let record = partials[base + own * RECORD_VECS];
  var sums: array<vec4<f32>, ROUNDS>;
  for (var round = 0u; round < ROUNDS; round++) {
    let split = min(round * SPLIT_LANES + lane / HEAD_VECS, MAX_SPLITS - 1u);
    sums[round] = partials[base + split * RECORD_VECS + 1u + lane % HEAD_VECS];
  }
  let sink = bf16_select(sinks[group.x / 2u], group.x);
  if (lane < MAX_SPLITS) {
    largest[lane] = select(MASKED, record.x, lane < num_splits);
  }
  workgroupBarrier();
  var tops = vec4<f32>(sink);
  for (var i = 0u; i < MAX_SPLITS; i += 4u) {
    tops = max(tops, vec4<f32>(largest[i], largest[i + 1u], largest[i + 2u], largest[i + 3u]));
  }
  let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
  if (lane < MAX_SPLITS) {
    let share = exp(min(record.x - top, 0.0));
    shares[lane] = select(vec2<f32>(), vec2<f32>(share, share * record.y), lane < num_splits);
  }
  workgroupBarrier();
  var sum = vec4<f32>();
  for (var round = 0u; round < ROUNDS; round++) {
    let split = round * SPLIT_LANES + lane / HEAD_VECS;
    sum += select(vec4<f32>(), shares[min(split, MAX_SPLITS - 1u)].x * sums[round], split < num_splits);
  }
  parts[lane] = sum; // lanes past SPLIT_LANES * HEAD_VECS repeat a split and are not read
  workgroupBarrier();
  if (lane < HEAD_VECS) {
    var total = exp(min(sink - top, 0.0));
    for (var split = 0u; split < MAX_SPLITS; split++) {
      total += shares[split].y;
    }
    for (var s = 1u; s < SPLIT_LANES; s++) {
      sum += parts[s * HEAD_VECS + lane];
    }
    out[row * HEAD_VECS + lane] = sum / total;
  }
}
