// attention-sink-decode: attention of few tokens over a share of their keys; attention-sink-merge joins the shares
//   q : [T, Q, D] f32 as vec4    keys, values : [K, CAPACITY, D] as KvVec, position p in slot p % CAPACITY
//   token t at position p sees positions p-WINDOW+1..p, or 0..p where WINDOW is 0
//   partials : [T, Q, MAX_SPLITS] records of 1 + D/4 vec4: (m, l, splits in use, 0), then sum_j exp(s_j - m) value_j,
//              where s_j = q . key_j * SCALE, m = max s_j, l = sum_j exp(s_j - m); a split without keys writes nothing
//   grid     : (Q/HEADS, splits, T); one workgroup for HEADS query heads of one KV head, so that each key and value is
//              read once for them all. splits is an upper bound: keys are dealt out in whole tiles, evenly
//   sums     : f32, online softmax a tile at a time (flash decoding)
//   needs D % 4 == 0, WG_SIZE == TILE_KEYS * PARTS, HEADS * K a divisor of Q
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvVec>;
@group(0) @binding(3) var<storage, read> values: array<KvVec>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4<f32>>;

const HEAD_VECS: u32 = D / 4u;
const RECORD_VECS: u32 = HEAD_VECS + 1u;
const PARTS: u32 = 4u;                              // lanes that share a key's dot products
const PART_STRIDE: u32 = HEADS * TILE_KEYS + 8u;    // 8 more, so that the four parts fall in different banks
const SCORE_ROUNDS: u32 = (HEADS * TILE_KEYS + WG_SIZE - 1u) / WG_SIZE;
const KEY_LANES: u32 = WG_SIZE / HEAD_VECS;         // lanes along keys while values are summed
const VALUE_ROUNDS: u32 = (TILE_KEYS + KEY_LANES - 1u) / KEY_LANES;
const FOLD: u32 = WG_SIZE / 2u;                    // lanes that hand their sums on, at most
const FOLD_HEADS: u32 = select(2u, 4u, D <= 64u);   // heads at once, as workgroup memory allows
const SCRATCH: u32 = max(PARTS * PART_STRIDE, 5u * FOLD_HEADS * FOLD);
const MASKED: f32 = -3e38;

var<workgroup> query: array<vec4<f32>, HEADS * HEAD_VECS>;
var<workgroup> scratch: array<f32, SCRATCH>; // parts of scores, then weights, at the end parts of sums
var<workgroup> scores: array<vec4<f32>, HEADS * TILE_KEYS / 4u>;
var<workgroup> rescale: array<f32, HEADS>;

var<private> largest: array<f32, SCORE_ROUNDS>; // m of the heads whose scores this lane weighs
var<private> values_ahead: array<KvVec, VALUE_ROUNDS>;
var<private> sum: array<vec4<f32>, HEADS>;
var<private> weight_sum: array<f32, HEADS>;

fn kv_at(kv_head: u32, position: u32) -> u32 {
  return (kv_head * CAPACITY + position % CAPACITY) * HEAD_VECS;
}

// Four lanes a key, each a quarter of the dims, for all heads.
fn score_parts(kv_head: u32, tile: u32, end: u32, lane: u32) {
  let key = lane / PARTS;
  let part = lane % PARTS;
  if (tile + key >= end) {
    return;
  }
  let at = kv_at(kv_head, tile + key);
  var dots = array<f32, HEADS>();
  for (var d = part; d < HEAD_VECS; d += PARTS) {
    let k = kv_unpack(keys[at + d]);
    for (var h = 0u; h < HEADS; h++) {
      dots[h] += dot(k, query[h * HEAD_VECS + d]);
    }
  }
  for (var h = 0u; h < HEADS; h++) {
    scratch[part * PART_STRIDE + h * TILE_KEYS + key] = dots[h];
  }
}

fn join_parts(tile: u32, end: u32, lane: u32) {
  for (var i = lane; i < HEADS * TILE_KEYS / 4u; i += WG_SIZE) {
    let key = vec4<u32>(tile + 4u * i % TILE_KEYS) + vec4<u32>(0u, 1u, 2u, 3u);
    var score = vec4<f32>();
    for (var part = 0u; part < PARTS; part++) {
      let at = part * PART_STRIDE + 4u * i;
      score += vec4<f32>(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
    }
    scores[i] = select(vec4<f32>(MASKED), score, key < vec4<u32>(end));
  }
}

// Every lane finds its head's maximum itself: 16 reads, cheaper than a tree of barriers.
fn weigh(tile: u32, end: u32, lane: u32) {
  for (var round = 0u; round < SCORE_ROUNDS; round++) {
    let i = lane + round * WG_SIZE;
    if (i >= HEADS * TILE_KEYS) {
      break;
    }
    let head = i / TILE_KEYS;
    let key = i % TILE_KEYS;
    var tops = vec4<f32>(largest[round]);
    for (var v = 0u; v < TILE_KEYS / 4u; v++) {
      tops = max(tops, scores[head * (TILE_KEYS / 4u) + v]);
    }
    let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
    scratch[i] = select(0.0, exp(scores[i / 4u][i % 4u] - top), tile + key < end);
    if (key == 0u) {
      rescale[head] = exp(largest[round] - top);
    }
    largest[round] = top;
  }
}

// The lane's share of a tile's values, ahead of their use: it waits for them together with the keys.
fn load_values(kv_head: u32, tile: u32, end: u32, lane: u32) {
  for (var round = 0u; round < VALUE_ROUNDS; round++) {
    let key = lane / HEAD_VECS + round * KEY_LANES;
    values_ahead[round] = values[kv_at(kv_head, min(tile + key, end - 1u)) + lane % HEAD_VECS];
  }
}

fn add_values(tile: u32, end: u32, lane: u32) {
  for (var h = 0u; h < HEADS; h++) {
    sum[h] *= rescale[h];
    weight_sum[h] *= rescale[h];
  }
  for (var round = 0u; round < VALUE_ROUNDS; round++) {
    let key = lane / HEAD_VECS + round * KEY_LANES;
    if (key < min(TILE_KEYS, end - tile)) {
      let v = kv_unpack(values_ahead[round]);
      for (var h = 0u; h < HEADS; h++) {
        let weight = scratch[h * TILE_KEYS + key];
        weight_sum[h] += weight;
        sum[h] += weight * v;
      }
    }
  }
}

// Adds what key lanes half..n-1 have of FOLD_HEADS heads from `first` on to key lanes 0.. `first` is a constant wherever it is
// called: private arrays that are indexed at run time would lie in memory, as they would with this in a loop over heads.
fn fold(first: u32, n: u32, half: u32, lane: u32) {
  let key = lane / HEAD_VECS;
  workgroupBarrier(); // the scratch may still be read
  if (key >= half && key < n) {
    let at = lane - half * HEAD_VECS;
    for (var h = 0u; h < min(FOLD_HEADS, HEADS - first); h++) {
      for (var c = 0u; c < 4u; c++) {
        scratch[(5u * h + c) * FOLD + at] = sum[first + h][c];
      }
      scratch[(5u * h + 4u) * FOLD + at] = weight_sum[first + h];
    }
  }
  workgroupBarrier();
  if (key < n - half) {
    for (var h = 0u; h < min(FOLD_HEADS, HEADS - first); h++) {
      for (var c = 0u; c < 4u; c++) {
        sum[first + h][c] += scratch[(5u * h + c) * FOLD + lane];
      }
      weight_sum[first + h] += scratch[(5u * h + 4u) * FOLD + lane];
    }
  }
}

// Leaves the sums over all key lanes in the first. Lanes past KEY_LANES * HEAD_VECS hold nothing that counts.
fn fold_all(lane: u32) {
  var n = KEY_LANES;
  while (n > 1u) {
    let half = (n + 1u) / 2u;
    fold(0u, n, half, lane);
    if (HEADS > FOLD_HEADS) {
      fold(FOLD_HEADS, n, half, lane);
    }
    if (HEADS > 2u * FOLD_HEADS) {
      fold(2u * FOLD_HEADS, n, half, lane);
    }
    if (HEADS > 3u * FOLD_HEADS) {
      fold(3u * FOLD_HEADS, n, half, lane);
    }
    n = half;
  }
}

@compute @workgroup_size(WG_SIZE)
fn main(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) grid: vec3<u32>,
) {
  let token = group.z;
  if (step.stopped != 0u || token >= step.num_tokens) {
    return;
  }
  let position = step.position + token;
  let num_keys = select(position + 1u, min(WINDOW, position + 1u), WINDOW > 0u);
  let num_tiles = (num_keys + TILE_KEYS - 1u) / TILE_KEYS;
  let most_splits = min(grid.y, MAX_SPLITS);
  let split_tiles = (num_tiles + most_splits - 1u) / most_splits;
  let num_splits = (num_tiles + split_tiles - 1u) / split_tiles;
  if (group.y >= num_splits) {
    return;
  }
  let start = position + 1u - num_keys + group.y * split_tiles * TILE_KEYS;
  let end = min(start + split_tiles * TILE_KEYS, position + 1u);
  let first_head = group.x * HEADS;
  let kv_head = first_head / (Q / K);
  for (var i = lane; i < HEADS * HEAD_VECS; i += WG_SIZE) {
    query[i] = q[(token * Q + first_head) * HEAD_VECS + i] * SCALE;
  }
  for (var round = 0u; round < SCORE_ROUNDS; round++) {
    largest[round] = MASKED;
  }
  for (var tile = start; tile < end; tile += TILE_KEYS) {
    load_values(kv_head, tile, end, lane);
    workgroupBarrier();
    score_parts(kv_head, tile, end, lane);
    workgroupBarrier();
    join_parts(tile, end, lane);
    workgroupBarrier();
    weigh(tile, end, lane);
    workgroupBarrier();
    add_values(tile, end, lane);
  }
  workgroupBarrier();
  for (var round = 0u; round < SCORE_ROUNDS; round++) {
    let i = lane + round * WG_SIZE;
    if (i < HEADS * TILE_KEYS && i % TILE_KEYS == 0u) {
      rescale[i / TILE_KEYS] = largest[round]; // from here on it holds m
    }
  }
  fold_all(lane);
  for (var h = 0u; h < HEADS; h++) {
    let record = ((token * Q + first_head + h) * MAX_SPLITS + group.y) * RECORD_VECS;
    if (lane < HEAD_VECS) {
      partials[record + 1u + lane] = sum[h];
    }
    if (lane == 0u) {
      partials[record] = vec4<f32>(rescale[h], weight_sum[h], f32(num_splits), 0.0);
    }
  }
}
