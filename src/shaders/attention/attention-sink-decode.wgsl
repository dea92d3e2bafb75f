// attention-sink-decode: attention of few tokens over their keys, whole or in shares that attention-sink-merge joins
//   q : [T, Q, D] f32 as vec4    keys, values : [K, CAPACITY, D] as KvVec, position p in slot p % CAPACITY
//   token t at position p sees positions p-WINDOW+1..p, or 0..p where WINDOW is 0
//   sinks : [Q] bf16, two per u32
//   out : [T, Q, D] f32 as vec4, sum_j exp(s_j) value_j / (sum_j exp(s_j) + exp(sink)), s_j = q . key_j * SCALE; written
//              where the grid has one split. With more of them the sink is left out, and what is written is
//   partials : [T, Q, MAX_SPLITS] records of 1 + D/4 vec4: (m, l, splits in use, 0), then sum_j exp(s_j - m) value_j,
//              where m = max s_j, l = sum_j exp(s_j - m); a split without keys writes nothing
//   grid     : (Q/HEADS, splits, T); one workgroup for HEADS query heads of one KV head, so that each key and value is
//              read once for them all. splits is an upper bound: keys are dealt out evenly
//   sums     : f32, online softmax a chunk at a time (flash decoding)
//   needs D % 4 == 0, D/4 <= WG_SIZE <= 256, HEADS <= 8 (4 where WG_SIZE > 128), HEADS * K a divisor of Q; lib/attention-chunk.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvVec>;
@group(0) @binding(3) var<storage, read> values: array<KvVec>;
@group(0) @binding(4) var<storage, read> sinks: array<u32>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;

const RECORD_VECS: u32 = HEAD_VECS + 1u;
// In the end workgroup memory holds m of the heads, l of every key lane, and the value sums of JOINED heads. All is at most 16 KiB.
const TOTALS_AT: u32 = QUADS;
const SUMS_AT: u32 = TOTALS_AT + QUADS * KEY_LANES;
const CHUNK_VECS: u32 = QUADS * (4u * QUERY_VECS + KEY_LANES * WEIGHT_ROWS);
const JOINED: u32 = select(2u, 4u, CHUNK_VECS + SUMS_AT + 4u * VALUE_LANES <= 1024u);

var<workgroup> scratch: array<vec4<f32>, max(LARGEST_VECS, SUMS_AT + JOINED * VALUE_LANES)>;

// Where a workgroup's heads are written.
struct Place {
  row: u32, // of the first head, among those of all tokens
  first_head: u32,
  split: u32,
  num_splits: u32, // 0 where the one split writes what comes out
}

// Vec4 `d` of head `head`'s query, scaled; zeros past the heads and past its end.
fn query_at(row: u32, head: u32, d: u32) -> vec4<f32> {
  let query = q[(row + min(head, HEADS - 1u)) * HEAD_VECS + min(d, HEAD_VECS - 1u)] * SCALE;
  return select(vec4<f32>(), query, head < HEADS && d < HEAD_VECS);
}

// A component of four heads' queries together, as lib/attention-chunk.wgsl reads them. A lane has whole vec4s to itself, since
// the write of one component may write the others as well.
fn store_queries(row: u32, lane: u32) {
  for (var i = lane; i < QUADS * QUERY_VECS; i += WG_SIZE) {
    let quad = i / QUERY_VECS;
    let d = i % QUERY_VECS;
    let first = query_at(row, 4u * quad, d);
    let second = query_at(row, 4u * quad + 1u, d);
    let third = query_at(row, 4u * quad + 2u, d);
    let fourth = query_at(row, 4u * quad + 3u, d);
    queries[quad][0][d] = vec4<f32>(first.x, second.x, third.x, fourth.x);
    queries[quad][1][d] = vec4<f32>(first.y, second.y, third.y, fourth.y);
    queries[quad][2][d] = vec4<f32>(first.z, second.z, third.z, fourth.z);
    queries[quad][3][d] = vec4<f32>(first.w, second.w, third.w, fourth.w);
  }
}

fn store_sum(i: u32, sum: vec4<f32>, lane: u32) {
  if (lane < VALUE_LANES) {
    scratch[SUMS_AT + i * VALUE_LANES + lane] = sum;
  }
}

// Joins the key lanes' sums of heads first..first+JOINED-1, and writes them. `first` is a constant wherever this is called.
fn write_heads(first: u32, place: Place, lane: u32) {
  workgroupBarrier(); // what lies there may still be read
  store_sum(0u, sums[first], lane);
  if (HEADS > 1u) {
    store_sum(1u, sums[first + 1u], lane);
  }
  if (HEADS > 2u && JOINED > 2u) {
    store_sum(2u, sums[first + 2u], lane);
    store_sum(3u, sums[first + 3u], lane);
  }
  workgroupBarrier();
  for (var i = lane; i < min(JOINED, HEADS - first) * HEAD_VECS; i += WG_SIZE) {
    let head = first + i / HEAD_VECS;
    let d = i % HEAD_VECS;
    var sum = vec4<f32>();
    var total = 0.0;
    for (var key_lane = 0u; key_lane < KEY_LANES; key_lane++) {
      sum += scratch[SUMS_AT + i / HEAD_VECS * VALUE_LANES + key_lane * HEAD_VECS + d];
      total += scratch[TOTALS_AT + key_lane * QUADS + head / 4u][head % 4u];
    }
    let top = scratch[head / 4u][head % 4u];
    let row = place.row + head;
    if (place.num_splits == 0u) {
      let sink = bf16_select(sinks[(place.first_head + head) / 2u], place.first_head + head);
      let share = exp(min(top - sink, 0.0));
      out[row * HEAD_VECS + d] = sum * share / (total * share + exp(min(sink - top, 0.0)));
    } else {
      let record = (row * MAX_SPLITS + place.split) * RECORD_VECS;
      partials[record + 1u + d] = sum;
      if (d == 0u) {
        partials[record] = vec4<f32>(top, total, f32(place.num_splits), 0.0);
      }
    }
  }
}

fn write_all(place: Place, lane: u32) {
  workgroupBarrier();
  for (var quad = 0u; quad < QUADS; quad++) {
    let is_second = quad > 0u;
    if (lane == 0u) {
      scratch[quad] = select(largest[0], largest[1], is_second);
    }
    if (lane % HEAD_VECS == 0u && lane < VALUE_LANES) {
      scratch[TOTALS_AT + lane / HEAD_VECS * QUADS + quad] = select(totals[0], totals[1], is_second);
    }
  }
  write_heads(0u, place, lane);
  if (HEADS > 2u && JOINED == 2u) {
    write_heads(2u, place, lane);
  }
  if (HEADS > 4u) {
    write_heads(4u, place, lane);
  }
  if (HEADS > 6u && JOINED == 2u) {
    write_heads(6u, place, lane);
  }
}

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>) {
  if (step.stopped != 0u || group.z >= step.num_tokens) {
    return;
  }
  let position = step.position + group.z;
  let num_keys = select(position + 1u, min(WINDOW, position + 1u), WINDOW > 0u);
  let most_splits = min(grid.y, MAX_SPLITS);
  let split_keys = (num_keys + most_splits - 1u) / most_splits;
  let num_splits = (num_keys + split_keys - 1u) / split_keys;
  if (group.y >= num_splits) {
    return;
  }
  let first_key = group.y * split_keys;
  let first_head = group.x * HEADS;
  let share = Share(
    first_head / (Q / K) * CAPACITY,
    (position + 1u - num_keys + first_key) % CAPACITY,
    min(split_keys, num_keys - first_key),
  );
  load_keys(share, 0u, 0u, lane.index);
  load_values(share, 0u, lane.index);
  let row = group.z * Q + first_head;
  store_queries(row, lane.index);
  attend(share, lane);
  write_all(Place(row, first_head, group.y, select(num_splits, 0u, grid.y == 1u)), lane.index);
}
