// attention-sink-merge: joins the splits of attention-sink-decode and adds the sink, once, to the denominator
//   partials : [T, Q, MAX_SPLITS] records of 1 + D/4 vec4: (m, l, splits in use, 0), then the weighted sum of values;
//              the first record of a head says how many are in use
//   sinks    : [Q] bf16, two per u32    out : [T, Q, D] f32 as vec4
//   grid     : (Q, T, 1), one workgroup a head
//   sums     : f32, splits strided over lanes, then in lane order    needs D % 4 == 0, D/4 <= WG_SIZE
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> sinks: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

const HEAD_VECS: u32 = D / 4u;
const RECORD_VECS: u32 = HEAD_VECS + 1u;
const SPLIT_LANES: u32 = WG_SIZE / HEAD_VECS;

var<workgroup> largest: array<f32, MAX_SPLITS>;
var<workgroup> shares: array<f32, MAX_SPLITS>;
var<workgroup> weight_sums: array<f32, MAX_SPLITS>;
var<workgroup> parts: array<vec4<f32>, WG_SIZE>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let token = group.y;
  if (step.stopped != 0u || token >= step.num_tokens) {
    return;
  }
  let row = token * Q + group.x;
  let base = row * MAX_SPLITS * RECORD_VECS;
  let num_splits = min(u32(partials[base].z), MAX_SPLITS);
  for (var split = lane; split < num_splits; split += WG_SIZE) {
    let record = partials[base + split * RECORD_VECS];
    largest[split] = record.x;
    weight_sums[split] = record.y;
  }
  workgroupBarrier();
  let sink = bf16_select(sinks[group.x / 2u], group.x);
  var top = sink;
  for (var split = 0u; split < num_splits; split++) {
    top = max(top, largest[split]);
  }
  for (var split = lane; split < num_splits; split += WG_SIZE) {
    shares[split] = exp(largest[split] - top);
  }
  workgroupBarrier();
  var total = exp(sink - top);
  for (var split = 0u; split < num_splits; split++) {
    total += weight_sums[split] * shares[split];
  }
  var sum = vec4<f32>();
  for (var split = lane / HEAD_VECS; split < num_splits; split += SPLIT_LANES) {
    sum += shares[split] * partials[base + split * RECORD_VECS + 1u + lane % HEAD_VECS];
  }
  parts[lane] = sum; // lanes past SPLIT_LANES * HEAD_VECS repeat a split and are not read
  workgroupBarrier();
  if (lane < HEAD_VECS) {
    for (var s = 1u; s < SPLIT_LANES; s++) {
      sum += parts[s * HEAD_VECS + lane];
    }
    out[row * HEAD_VECS + lane] = sum / total;
  }
}
