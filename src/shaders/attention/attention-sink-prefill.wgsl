// attention-sink-prefill: out[t,h] = softmax over visible keys j, and the sink, of (q[t,h] . key[j] * SCALE), times value[j]
//   q, out : [T, Q, D] f32 as vec4    sinks : [Q] bf16, two per u32: a logit without a value, never masked or scaled
//   keys, values : [K, CAPACITY, D] as KvVec, position p in slot p % CAPACITY; this pass's own tokens already written
//   token t at position p sees positions p-WINDOW+1..p, or 0..p where WINDOW is 0
//   grid   : (ceil(T*G / WG_SIZE), K, 1); one invocation for a (token, head) row, rows of one KV head side by side, so
//            that the workgroup shares every key and value it loads
//   sums   : f32, online softmax four keys at a time in key order, starting at m = sink, l = 1 (as flash attention
//            and openai/gpt-oss's Metal kernel do)    needs D % 4 == 0, TILE_KEYS % 4 == 0
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvVec>;
@group(0) @binding(3) var<storage, read> values: array<KvVec>;
@group(0) @binding(4) var<storage, read> sinks: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;

const HEAD_VECS: u32 = D / 4u;
const GROUP: u32 = Q / K; // query heads that share a KV head

var<workgroup> key_tile: array<vec4<f32>, TILE_KEYS * HEAD_VECS>;
var<workgroup> value_tile: array<vec4<f32>, TILE_KEYS * HEAD_VECS>;

fn first_visible(position: u32) -> u32 {
  return select(0u, position + 1u - min(WINDOW, position + 1u), WINDOW > 0u);
}

// Positions start..start+TILE_KEYS-1; beyond `last` (maybe never written) the last one again, masked later.
fn load_tile(kv_head: u32, start: u32, last: u32, lane: u32) {
  for (var i = lane; i < TILE_KEYS * HEAD_VECS; i += WG_SIZE) {
    let slot = min(start + i / HEAD_VECS, last) % CAPACITY;
    let at = (kv_head * CAPACITY + slot) * HEAD_VECS + i % HEAD_VECS;
    key_tile[i] = kv_unpack(keys[at]);
    value_tile[i] = kv_unpack(values[at]);
  }
}

fn four_scores(query: ptr<function, array<vec4<f32>, HEAD_VECS>>, tile_key: u32) -> vec4<f32> {
  let base = tile_key * HEAD_VECS;
  var scores = vec4<f32>();
  for (var d = 0u; d < HEAD_VECS; d++) {
    let x = (*query)[d];
    scores += vec4<f32>(
      dot(x, key_tile[base + d]),
      dot(x, key_tile[base + HEAD_VECS + d]),
      dot(x, key_tile[base + 2u * HEAD_VECS + d]),
      dot(x, key_tile[base + 3u * HEAD_VECS + d]));
  }
  return scores;
}

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let num_rows = step.num_tokens * GROUP;
  let first_row = group.x * WG_SIZE;
  if (step.stopped != 0u || first_row >= num_rows) {
    return;
  }
  let row = min(first_row + lane, num_rows - 1u); // lanes past the end repeat the last row and write nothing
  let token = row / GROUP;
  let head = group.y * GROUP + row % GROUP;
  let position = step.position + token;
  let first = first_visible(position);
  let q_base = (token * Q + head) * HEAD_VECS;
  var query: array<vec4<f32>, HEAD_VECS>;
  var sum: array<vec4<f32>, HEAD_VECS>;
  for (var d = 0u; d < HEAD_VECS; d++) {
    query[d] = q[q_base + d] * SCALE;
  }
  var largest = bf16_select(sinks[head / 2u], head);
  var weight_sum = 1.0;

  // What any row of this workgroup sees, by its first and last token.
  let start = first_visible(step.position + first_row / GROUP);
  let end = step.position + (min(first_row + WG_SIZE, num_rows) - 1u) / GROUP;
  for (var tile = start; tile <= end; tile += TILE_KEYS) {
    workgroupBarrier(); // the tile before may still be read
    load_tile(group.y, tile, end, lane);
    workgroupBarrier();
    for (var c = 0u; c < TILE_KEYS; c += 4u) {
      let key = vec4<u32>(tile + c) + vec4<u32>(0u, 1u, 2u, 3u);
      let visible = (key >= vec4<u32>(first)) & (key <= vec4<u32>(position));
      if (!any(visible)) {
        continue;
      }
      let scores = select(vec4<f32>(largest), four_scores(&query, c), visible);
      let top = max(largest, max(max(scores.x, scores.y), max(scores.z, scores.w)));
      let rescale = exp(largest - top);
      let weights = select(vec4<f32>(), exp(scores - top), visible);
      largest = top;
      weight_sum = weight_sum * rescale + dot(weights, vec4<f32>(1.0));
      let base = c * HEAD_VECS;
      for (var d = 0u; d < HEAD_VECS; d++) {
        sum[d] = sum[d] * rescale
          + weights.x * value_tile[base + d]
          + weights.y * value_tile[base + HEAD_VECS + d]
          + weights.z * value_tile[base + 2u * HEAD_VECS + d]
          + weights.w * value_tile[base + 3u * HEAD_VECS + d];
      }
    }
  }
  if (first_row + lane < num_rows) {
    for (var d = 0u; d < HEAD_VECS; d++) {
      out[q_base + d] = sum[d] / weight_sum;
    }
  }
}
