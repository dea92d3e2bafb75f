// A token's attention over a chunk of its keys, for HEADS (at most 4) heads that share them: scores, the softmax's m, and sums of
// weighted values so far. Two barriers a chunk with lib/largest-subgroups, three with lib/largest-workgroup. Needs lib/kv-*,
// lib/row-parts-*, lib/largest-*, the bindings `keys` and `values`, and LARGEST_VECS vec4s of workgroup memory as `scratch`.
// Private arrays are indexed by constants alone, in functions that are called with constants: in a loop that a compiler
// does not unroll they would lie in memory.
const HEAD_VECS: u32 = D / 4u;
// Scores: ROW_PARTS lanes a key, each with every ROW_PARTS-th vec4 of it, BLOCK of them at a time, and ROUNDS keys a lane.
const BLOCK: u32 = 4u;
const KEY_BLOCKS: u32 = (HEAD_VECS / ROW_PARTS + BLOCK - 1u) / BLOCK;
const ROUNDS: u32 = select(1u, 2u, ROW_PARTS > 1u);
const ROUND_KEYS: u32 = WG_SIZE / ROW_PARTS;
const CHUNK: u32 = ROUNDS * ROUND_KEYS;
// Values: HEAD_VECS lanes a key, a vec4 of the dims each, and VALUE_ROUNDS keys a lane at a time.
const KEY_LANES: u32 = WG_SIZE / HEAD_VECS;
const VALUE_LANES: u32 = KEY_LANES * HEAD_VECS;
const VALUE_ROUNDS: u32 = 8u;
const QUERY_VECS: u32 = KEY_BLOCKS * BLOCK * ROW_PARTS; // a head's, and zeros
const WEIGHT_ROWS: u32 = (CHUNK + KEY_LANES - 1u) / KEY_LANES;
const MASKED: f32 = -3e38;

// A vec4 of scores, weights or totals has a component for each head.
// Arrays of arrays, so that neighbours differ by constants and one bounds check does for them.
var<workgroup> queries: array<array<vec4<f32>, QUERY_VECS>, 4>; // by component; those of heads past HEADS are 0
var<workgroup> weights: array<array<vec4<f32>, KEY_LANES>, WEIGHT_ROWS>; // by key

var<private> keys_ahead: array<KvVec, 2u * BLOCK>;   // [ROUNDS, BLOCK]
var<private> values_ahead: array<KvVec, VALUE_ROUNDS>;
var<private> scores: array<vec4<f32>, 2>;            // by round
var<private> largest: vec4<f32>;
var<private> totals: vec4<f32>;
var<private> sums: array<vec4<f32>, 4>;              // by head

// A workgroup's share of a token's keys.
struct Share {
  row: u32,   // KV head * CAPACITY
  slot: u32,  // of the first key
  count: u32, // of keys, at least one
}

// Where key `index` of the share is, or the last one where the share has no such key.
fn kv_at(share: Share, index: u32) -> u32 {
  let slot = share.slot + min(index, share.count - 1u);
  return (share.row + slot - select(0u, CAPACITY, slot >= CAPACITY)) * HEAD_VECS;
}

fn load_key(round: u32, share: Share, chunk: u32, block: u32, lane: u32) {
  let at = kv_at(share, chunk + round * ROUND_KEYS + lane / ROW_PARTS);
  let d = block * BLOCK * ROW_PARTS + lane % ROW_PARTS;
  keys_ahead[round * BLOCK] = keys[at + d];
  keys_ahead[round * BLOCK + 1u] = keys[at + min(d + ROW_PARTS, HEAD_VECS - 1u)];
  keys_ahead[round * BLOCK + 2u] = keys[at + min(d + 2u * ROW_PARTS, HEAD_VECS - 1u)];
  keys_ahead[round * BLOCK + 3u] = keys[at + min(d + 3u * ROW_PARTS, HEAD_VECS - 1u)];
}

fn load_keys(share: Share, chunk: u32, block: u32, lane: u32) {
  load_key(0u, share, chunk, block, lane);
  if (ROUNDS > 1u) {
    load_key(1u, share, chunk, block, lane);
  }
}

fn load_value(round: u32, share: Share, start: u32, lane: u32) {
  values_ahead[round] = values[kv_at(share, start + round * KEY_LANES + lane / HEAD_VECS) + lane % HEAD_VECS];
}

fn load_values(share: Share, start: u32, lane: u32) {
  load_value(0u, share, start, lane);
  load_value(1u, share, start, lane);
  load_value(2u, share, start, lane);
  load_value(3u, share, start, lane);
  load_value(4u, share, start, lane);
  load_value(5u, share, start, lane);
  load_value(6u, share, start, lane);
  load_value(7u, share, start, lane);
}

fn add_products(sum: vec4<f32>, x: vec4<f32>, y: vec4<f32>, z: vec4<f32>, w: vec4<f32>, key: vec4<f32>) -> vec4<f32> {
  return fma(w, vec4<f32>(key.w), fma(z, vec4<f32>(key.z), fma(y, vec4<f32>(key.y), fma(x, vec4<f32>(key.x), sum))));
}

// Products of vec4 `v` of a block with the heads' queries.
fn add_scores(v: u32, block: u32, part: u32) {
  let d = (block * BLOCK + v) * ROW_PARTS + part;
  let x = queries[0][d];
  let y = queries[1][d];
  let z = queries[2][d];
  let w = queries[3][d];
  scores[0] = add_products(scores[0], x, y, z, w, kv_unpack(keys_ahead[v]));
  if (ROUNDS > 1u) {
    scores[1] = add_products(scores[1], x, y, z, w, kv_unpack(keys_ahead[BLOCK + v]));
  }
}

// Scores of the lane's keys, in all lanes of a row.
fn score_chunk(share: Share, chunk: u32, lane: u32) {
  scores = array<vec4<f32>, 2>();
  let part = lane % ROW_PARTS;
  for (var block = 0u; block < KEY_BLOCKS; block++) {
    if (block > 0u) {
      load_keys(share, chunk, block, lane);
    }
    add_scores(0u, block, part);
    add_scores(1u, block, part);
    add_scores(2u, block, part);
    add_scores(3u, block, part);
  }
  let key = chunk + lane / ROW_PARTS;
  scores[0] = select(vec4<f32>(MASKED), join_row(scores[0]), key < share.count);
  scores[1] = select(vec4<f32>(MASKED), join_row(scores[1]), ROUNDS > 1u && key + ROUND_KEYS < share.count);
}

// Takes the chunk's scores into account in m. Returns by what the sums so far are to be multiplied.
fn find_largest(lane: Lane) -> vec4<f32> {
  let top = workgroup_largest(max(largest, max(scores[0], scores[1])), lane);
  let fade = exp(max(largest - top, vec4<f32>(-80.0)));
  largest = top;
  return fade;
}

// exp(score - m) of the chunk's keys to workgroup memory: of a row's lanes, the first ROUNDS weigh a key each.
fn weigh_chunk(share: Share, chunk: u32, lane: u32) {
  let round = lane % ROW_PARTS;
  if (round < ROUNDS) {
    let key = lane / ROW_PARTS + round * ROUND_KEYS;
    let score = select(scores[0], scores[1], round > 0u);
    let weight = select(vec4<f32>(), exp(min(score - largest, vec4<f32>())), chunk + key < share.count);
    weights[key / KEY_LANES][key % KEY_LANES] = weight;
  }
}

fn fade_sums(fade: vec4<f32>) {
  totals *= fade;
  sums[0] *= fade.x;
  sums[1] *= fade.y;
  sums[2] *= fade.z;
  sums[3] *= fade.w;
}

fn add_value(round: u32, first: u32, lane: u32) {
  let value = kv_unpack(values_ahead[round]);
  let row = first + round;
  let key_lane = lane / HEAD_VECS;
  var weight = weights[min(row, WEIGHT_ROWS - 1u)][key_lane];
  if (CHUNK % (VALUE_ROUNDS * KEY_LANES) != 0u) {
    weight = select(vec4<f32>(), weight, row * KEY_LANES + key_lane < CHUNK);
  }
  totals += weight;
  sums[0] = fma(vec4<f32>(weight.x), value, sums[0]);
  if (HEADS > 1u) {
    sums[1] = fma(vec4<f32>(weight.y), value, sums[1]);
  }
  if (HEADS > 2u) {
    sums[2] = fma(vec4<f32>(weight.z), value, sums[2]);
  }
  if (HEADS > 3u) {
    sums[3] = fma(vec4<f32>(weight.w), value, sums[3]);
  }
}

fn add_chunk(share: Share, chunk: u32, fade: vec4<f32>, lane: u32) {
  fade_sums(fade);
  for (var row = 0u; row < WEIGHT_ROWS; row += VALUE_ROUNDS) {
    if (row > 0u) {
      load_values(share, chunk + row * KEY_LANES, lane);
    }
    add_value(0u, row, lane);
    add_value(1u, row, lane);
    add_value(2u, row, lane);
    add_value(3u, row, lane);
    add_value(4u, row, lane);
    add_value(5u, row, lane);
    add_value(6u, row, lane);
    add_value(7u, row, lane);
  }
}

// All of a share. The loads of a chunk are under way before the first is waited for; those of the next follow as their places
// become free. The queries must be in workgroup memory before the first barrier.
fn attend(share: Share, lane: Lane) {
  largest = vec4<f32>(MASKED);
  workgroupBarrier();
  for (var chunk = 0u; chunk < share.count; chunk += CHUNK) {
    let has_next = chunk + CHUNK < share.count;
    score_chunk(share, chunk, lane.index);
    if (has_next) {
      load_keys(share, chunk + CHUNK, 0u, lane.index);
    }
    let fade = find_largest(lane);
    weigh_chunk(share, chunk, lane.index);
    workgroupBarrier();
    add_chunk(share, chunk, fade, lane.index);
    if (has_next) {
      load_values(share, chunk + CHUNK, lane.index);
    }
  }
}
