// sample-advance: the best candidate becomes the next token, and the step state moves on
//   state : the step state; position += num_tokens, num_tokens = 1, num_generated += 1, stopped if a stop token
//   candidates : [NUM_CANDIDATES] (score as f32 bits, id)    stop_tokens : [MAX_STOPS + 1] u32, a count, then ids
//   tokens : word 0 becomes the token, so that the next step embeds it
//   result : (token, stopped, num_generated, 0), for the CPU to read later
//   grid   : (1, 1, 1)    ties go to the lowest id
// A stopped state stays as it is.
@group(0) @binding(0) var<storage, read_write> state: Step;
@group(0) @binding(1) var<storage, read> candidates: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> stop_tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> result: vec4<u32>;

struct Candidate {
  score: f32,
  id: u32,
}

var<workgroup> best: array<Candidate, WG_SIZE>;

fn better(a: Candidate, b: Candidate) -> Candidate {
  if (b.score > a.score || (b.score == a.score && b.id < a.id)) {
    return b;
  }
  return a;
}

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  var mine = Candidate(-3.4e38, 0xffffffffu);
  for (var i = lane; i < NUM_CANDIDATES; i += WG_SIZE) {
    let candidate = candidates[i];
    mine = better(mine, Candidate(bitcast<f32>(candidate.x), candidate.y));
  }
  best[lane] = mine;
  for (var stride = WG_SIZE / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (lane < stride) {
      best[lane] = better(best[lane], best[lane + stride]);
    }
  }
  workgroupBarrier();
  if (lane != 0u || state.stopped != 0u) {
    return;
  }
  let token = best[0].id;
  var stops = 0u;
  for (var i = 0u; i < min(stop_tokens[0], MAX_STOPS); i++) {
    stops |= select(0u, 1u, stop_tokens[i + 1u] == token);
  }
  tokens[0] = token;
  state.position += state.num_tokens;
  state.num_tokens = 1u;
  state.num_generated += 1u;
  state.stopped = stops;
  result = vec4<u32>(token, stops, state.num_generated, 0u);
}
