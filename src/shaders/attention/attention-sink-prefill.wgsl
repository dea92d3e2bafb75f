// attention-sink-prefill: out[t,h] = softmax over visible keys j, and the sink, of (q[t,h] . key[j] * SCALE), times value[j]
//   q, out : [T, Q, D] f32 as vec4    sinks : [Q] bf16, two per u32: a logit without a value, never masked or scaled
//   keys, values : [K, CAPACITY, D] as KvVec, position p in slot p % CAPACITY; this pass's own tokens already written
//   token t at position p sees positions p-WINDOW+1..p, or 0..p where WINDOW is 0
//   grid   : (ceil(T*G / WG_SIZE), K, 1); rows are (token, head), those of one KV head side by side, so that the workgroup
//            shares every key and value it loads. ROW_PARTS lanes have as many rows between them, each lane a part of the dims of
//            all: every vec4 of a key or value that it reads from workgroup memory serves so many rows
//   sums   : f32, online softmax four keys at a time in key order, starting at m = sink, l = 1 (as flash attention
//            and openai/gpt-oss's Metal kernel do)    needs D % 4 == 0, TILE_KEYS % 4 == 0
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvVec>;
@group(0) @binding(3) var<storage, read> values: array<KvVec>;
@group(0) @binding(4) var<storage, read> sinks: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;

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

const VECS: u32 = HEAD_VECS / ROW_PARTS; // of a row, in a lane

// Products of four keys with this lane's dims of its row r.
fn part_scores(query: ptr<function, array<vec4<f32>, HEAD_VECS>>, r: u32, tile_key: u32, part: u32) -> vec4<f32> {
  let base = tile_key * HEAD_VECS + part;
  var scores = vec4<f32>();
  for (var i = 0u; i < VECS; i++) {
    let x = (*query)[r * VECS + i];
    let at = base + ROW_PARTS * i;
    scores += vec4<f32>(
      dot(x, key_tile[at]),
      dot(x, key_tile[at + HEAD_VECS]),
      dot(x, key_tile[at + 2u * HEAD_VECS]),
      dot(x, key_tile[at + 3u * HEAD_VECS]));
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
  let part = lane % ROW_PARTS;
  let own_row = first_row + lane - part; // the first of ROW_PARTS
  var query: array<vec4<f32>, HEAD_VECS>;
  var sum: array<vec4<f32>, HEAD_VECS>;
  var q_base: array<u32, ROW_PARTS>;
  var first: array<u32, ROW_PARTS>;
  var position: array<u32, ROW_PARTS>;
  var largest: array<f32, ROW_PARTS>;
  var weight_sum: array<f32, ROW_PARTS>;
  for (var r = 0u; r < ROW_PARTS; r++) {
    let row = min(own_row + r, num_rows - 1u); // rows past the end repeat the last one and are not written
    let token = row / GROUP;
    let head = group.y * GROUP + row % GROUP;
    q_base[r] = (token * Q + head) * HEAD_VECS + part;
    position[r] = step.position + token;
    first[r] = first_visible(position[r]);
    largest[r] = bf16_select(sinks[head / 2u], head);
    weight_sum[r] = 1.0;
    for (var i = 0u; i < VECS; i++) {
      query[r * VECS + i] = q[q_base[r] + ROW_PARTS * i] * SCALE;
    }
  }

  // What any row of this workgroup sees, by its first and last token.
  let start = first_visible(step.position + first_row / GROUP);
  let end = step.position + (min(first_row + WG_SIZE, num_rows) - 1u) / GROUP;
  for (var tile = start; tile <= end; tile += TILE_KEYS) {
    workgroupBarrier(); // the tile before may still be read
    load_tile(group.y, tile, end, lane);
    workgroupBarrier();
    for (var c = 0u; c < TILE_KEYS; c += 4u) {
      let key = vec4<u32>(tile + c) + vec4<u32>(0u, 1u, 2u, 3u);
      for (var r = 0u; r < ROW_PARTS; r++) {
        let all_scores = join_row(part_scores(&query, r, c, part));
        let visible = (key >= vec4<u32>(first[r])) & (key <= vec4<u32>(position[r]));
        let scores = select(vec4<f32>(largest[r]), all_scores, visible);
        let top = max(largest[r], max(max(scores.x, scores.y), max(scores.z, scores.w)));
        let rescale = exp(largest[r] - top);
        let weights = select(vec4<f32>(), exp(scores - top), visible);
        largest[r] = top;
        weight_sum[r] = weight_sum[r] * rescale + dot(weights, vec4<f32>(1.0));
        let base = c * HEAD_VECS + part;
        for (var i = 0u; i < VECS; i++) {
          let at = base + ROW_PARTS * i;
          sum[r * VECS + i] = sum[r * VECS + i] * rescale
            + weights.x * value_tile[at]
            + weights.y * value_tile[at + HEAD_VECS]
            + weights.z * value_tile[at + 2u * HEAD_VECS]
            + weights.w * value_tile[at + 3u * HEAD_VECS];
        }
      }
    }
  }
  for (var r = 0u; r < ROW_PARTS; r++) {
    if (own_row + r < num_rows) {
      for (var i = 0u; i < VECS; i++) {
        out[q_base[r] + ROW_PARTS * i] = sum[r * VECS + i] / weight_sum[r];
      }
    }
  }
}
