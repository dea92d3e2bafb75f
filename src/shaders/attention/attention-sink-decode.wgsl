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
//   needs D % 4 == 0, D/4 <= WG_SIZE <= 256, HEADS <= 4, HEADS * WG_SIZE <= 512, HEADS * K a divisor of Q; lib/attention-chunk.wgsl
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<KvVec>;
@group(0) @binding(3) var<storage, read> values: array<KvVec>;
@group(0) @binding(4) var<storage, read> sinks: array<u32>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;

const RECORD_VECS: u32 = HEAD_VECS + 1u;
// In the end workgroup memory holds m of the heads, l of every key lane, and the heads' sums of values: with what
// lib/attention-chunk.wgsl has, at most 16 KiB.
const TOTALS_AT: u32 = 1u;
const SUMS_AT: u32 = TOTALS_AT + KEY_LANES;

var<workgroup> scratch: array<vec4<f32>, max(LARGEST_VECS, SUMS_AT + HEADS * VALUE_LANES)>;

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

// A component of all heads' queries together, as lib/attention-chunk.wgsl reads them. A lane has whole vec4s to itself, since
// the write of one component may write the others as well.
fn store_queries(row: u32, lane: u32) {
  for (var d = lane; d < QUERY_VECS; d += WG_SIZE) {
    let first = query_at(row, 0u, d);
    let second = query_at(row, 1u, d);
    let third = query_at(row, 2u, d);
    let fourth = query_at(row, 3u, d);
    queries[0][d] = vec4<f32>(first.x, second.x, third.x, fourth.x);
    queries[1][d] = vec4<f32>(first.y, second.y, third.y, fourth.y);
    queries[2][d] = vec4<f32>(first.z, second.z, third.z, fourth.z);
    queries[3][d] = vec4<f32>(first.w, second.w, third.w, fourth.w);
  }
}

fn store_sum(head: u32, sum: vec4<f32>, lane: u32) {
  if (lane < VALUE_LANES) {
    scratch[SUMS_AT + head * VALUE_LANES + lane] = sum;
  }
}

// What the lanes have, to workgroup memory: m is the same in all, l in those of a key lane.
fn store_lanes(lane: u32) {
  if (lane == 0u) {
    scratch[0] = largest;
  }
  if (lane % HEAD_VECS == 0u && lane < VALUE_LANES) {
    scratch[TOTALS_AT + lane / HEAD_VECS] = totals;
  }
  store_sum(0u, sums[0], lane);
  if (HEADS > 1u) {
    store_sum(1u, sums[1], lane);
  }
  if (HEADS > 2u) {
    store_sum(2u, sums[2], lane);
  }
  if (HEADS > 3u) {
    store_sum(3u, sums[3], lane);
  }
}

// Joins the key lanes' sums, and writes them.
fn write_heads(place: Place, lane: u32) {
  workgroupBarrier(); // not needed: attend's last one comes after its reads of scratch; it keeps this true if attend changes
  store_lanes(lane);
  workgroupBarrier();
  for (var i = lane; i < HEADS * HEAD_VECS; i += WG_SIZE) {
    let head = i / HEAD_VECS;
    let d = i % HEAD_VECS;
    var sum = vec4<f32>();
    var total = 0.0;
    for (var key_lane = 0u; key_lane < KEY_LANES; key_lane++) {
      sum += scratch[SUMS_AT + head * VALUE_LANES + key_lane * HEAD_VECS + d];
      total += scratch[TOTALS_AT + key_lane][head];
    }
    let top = scratch[0][head];
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
  write_heads(Place(row, first_head, group.y, select(num_splits, 0u, grid.y == 1u)), lane.index);
}
