// sample-advance: the best candidate becomes the next token, and the step state moves on
//   state : the step state; position += num_tokens, num_tokens = 1, num_generated += 1, stopped if a stop token
//   candidates : by rising id, NUM_CANDIDATES scores as f32 bits and from word IDS_AT on their ids
//   stop_tokens : [MAX_STOPS + 1] u32, a count, then ids
//   tokens : word 0 becomes the token, so that the next step embeds it
//   result : (token, stopped, num_generated, 0), for the CPU to read later
//   grid   : (1, 1, 1)    ties go to the first candidate, so to the lowest id
// A stopped state stays as it is. A single workgroup is all there is to hide latency: what does not depend on the scores is
// read before them, and UNROLL loads of scores are under way at once.
@group(0) @binding(0) var<storage, read_write> state: Step;
@group(0) @binding(1) var<storage, read> candidates: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> stop_tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> result: vec4<u32>;

const UNROLL: u32 = 8u;
const VECS: u32 = NUM_CANDIDATES / 4u; // without a last partial one
const REST: u32 = NUM_CANDIDATES % 4u;

// The largest score so far, and the vec4 that has it.
struct Best {
  score: f32,
  vec: u32,
}

var<workgroup> best: array<Best, WG_SIZE>;
var<workgroup> stops: array<u32, MAX_STOPS + 1u>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  let before = state;
  for (var i = lane; i <= MAX_STOPS; i += WG_SIZE) {
    stops[i] = stop_tokens[i];
  }
  best[lane] = best_of_lane(lane);
  for (var stride = WG_SIZE / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (lane < stride) {
      best[lane] = better(best[lane], best[lane + stride]);
    }
  }
  workgroupBarrier();
  if (lane != 0u || before.stopped != 0u) {
    return;
  }
  let token = token_of(best[0]);
  var stopped = 0u;
  for (var i = 0u; i < min(stops[0], MAX_STOPS); i++) {
    stopped |= select(0u, 1u, stops[i + 1u] == token);
  }
  tokens[0] = token;
  state.position = before.position + before.num_tokens;
  state.num_tokens = 1u;
  state.num_generated = before.num_generated + 1u;
  state.stopped = stopped;
  result = vec4<u32>(token, stopped, before.num_generated + 1u, 0u);
}

fn best_of_lane(lane: u32) -> Best {
  var mine = Best(-3.4e38, 0u);
  for (var start = lane; start < VECS; start += WG_SIZE * UNROLL) {
    for (var u = 0u; u < UNROLL; u++) {
      let vec = min(start + u * WG_SIZE, max(VECS, 1u) - 1u); // the last again where there is none
      let scores = bitcast<vec4<f32>>(candidates[vec]);
      let largest = max(max(scores.x, scores.y), max(scores.z, scores.w));
      if (largest > mine.score) {
        mine = Best(largest, vec);
      }
    }
  }
  if (REST != 0u && lane == 0u) {
    let scores = bitcast<vec4<f32>>(candidates[VECS]);
    for (var i = 0u; i < REST; i++) {
      if (scores[i] > mine.score) {
        mine = Best(scores[i], VECS);
      }
    }
  }
  return mine;
}

fn better(a: Best, b: Best) -> Best {
  if (b.score > a.score || (b.score == a.score && b.vec < a.vec)) {
    return b;
  }
  return a;
}

// The id of the first candidate of a vec4 that has the best score.
fn token_of(found: Best) -> u32 {
  let scores = bitcast<vec4<f32>>(candidates[found.vec]);
  let ids = candidates[IDS_AT / 4u + found.vec];
  for (var i = 0u; i < 3u; i++) {
    if (scores[i] == found.score) {
      return ids[i];
    }
  }
  return ids.w;
}
