// router-topk: logits = router . rms_norm(x[t]) + bias; the A largest, in falling order, ties to the lower expert;
// weights = softmax over those A alone; normed[t] = rms_norm(x[t]), which the experts take as their input
//   x       : [T, H] f32 as vec4      gain    : [H] bf16, eight per vec4<u32>
//   router  : [E, H] bf16, eight per vec4<u32>      bias : [E] bf16, two per u32
//   ids     : [T, A] u32              weights : [T, A] f32
//   normed  : [T, H] f32 as vec4
//   grid    : (T, 1, 1), one workgroup of WG_SIZE, at least E, a token    needs H % 8 == 0, A <= E <= 256
// TEAM lanes share an expert and stride over H together; a team takes every WG_SIZE/TEAM-th expert, so that it reads x once
// for all of them. The norm's sum of squares is one more sum of the same loop. Sums are f32.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gain: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> router: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> ids: array<u32>;
@group(0) @binding(6) var<storage, read_write> weights: array<f32>;
@group(0) @binding(7) var<storage, read_write> normed: array<vec4<f32>>;

// The partial sums of all experts share 8 KiB of workgroup memory.
const TEAM: u32 = select(select(8u, 16u, E <= 128u), 32u, E <= 64u);
const NUM_TEAMS: u32 = WG_SIZE / TEAM;
const ROUNDS: u32 = (E + NUM_TEAMS - 1u) / NUM_TEAMS;
const OCTETS: u32 = H / 8u;
const UNROLL: u32 = 4u; // loads under way at once: a single workgroup has little else to hide their latency

var<workgroup> partials: array<array<f32, TEAM + 1u>, E>; // one more, so that lanes that read different experts' meet different banks
var<workgroup> squares: array<f32, TEAM>;
var<workgroup> logits: array<f32, E>;
var<workgroup> chosen: array<u32, A>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.x >= step.num_tokens) {
    return;
  }
  sum_partials(group.x, lane);
  workgroupBarrier();
  let scale = norm_scale();
  if (lane < E) {
    logits[lane] = logit(lane, scale);
  }
  write_normed(group.x, lane, scale);
  workgroupBarrier();
  if (lane < E) {
    let place = rank(lane);
    if (place < A) {
      chosen[place] = lane;
    }
  }
  workgroupBarrier();
  if (lane < A) {
    let largest = logits[chosen[0]];
    var total = 0.0;
    for (var a = 0u; a < A; a++) {
      total += exp(logits[chosen[a]] - largest);
    }
    ids[group.x * A + lane] = chosen[lane];
    weights[group.x * A + lane] = exp(logits[chosen[lane]] - largest) / total;
  }
}

// Leaves each lane's share of its team's dot products, and of the sum of squares, in workgroup memory.
fn sum_partials(token: u32, lane: u32) {
  let team = lane / TEAM;
  let member = lane % TEAM;
  var sums = array<f32, ROUNDS>();
  var square = 0.0;
  for (var start = member; start < OCTETS; start += TEAM * UNROLL) {
    for (var u = 0u; u < UNROLL; u++) {
      let i = min(start + u * TEAM, OCTETS - 1u);
      let used = select(0.0, 1.0, start + u * TEAM < OCTETS);
      let g = gain[i];
      let a = x[token * (OCTETS * 2u) + i * 2u] * used;
      let b = x[token * (OCTETS * 2u) + i * 2u + 1u] * used;
      square += dot(a, a) + dot(b, b);
      let a_gained = a * vec4<f32>(bf16_pair(g.x), bf16_pair(g.y));
      let b_gained = b * vec4<f32>(bf16_pair(g.z), bf16_pair(g.w));
      for (var round = 0u; round < ROUNDS; round++) {
        let expert = min(team + round * NUM_TEAMS, E - 1u);
        sums[round] += dot_bf16x8(router[expert * OCTETS + i], a_gained, b_gained);
      }
    }
  }
  for (var round = 0u; round < ROUNDS; round++) {
    let expert = team + round * NUM_TEAMS;
    if (expert < E) {
      partials[expert][member] = sums[round];
    }
  }
  if (team == 0u) {
    squares[member] = square;
  }
}

fn norm_scale() -> f32 {
  var square = 0.0;
  for (var member = 0u; member < TEAM; member++) {
    square += squares[member];
  }
  return inverseSqrt(square / f32(H) + EPS);
}

fn logit(expert: u32, scale: f32) -> f32 {
  var sum = 0.0;
  for (var member = 0u; member < TEAM; member++) {
    sum += partials[expert][member];
  }
  return sum * scale + bf16_select(bias[expert / 2u], expert);
}

fn write_normed(token: u32, lane: u32, scale: f32) {
  for (var i = lane; i < OCTETS; i += WG_SIZE) {
    let g = gain[i];
    let row = 2u * token * OCTETS;
    for (var half = 0u; half < 2u; half++) {
      let v = 2u * i + half;
      let pairs = select(g.xy, g.zw, half == 1u);
      normed[row + v] = x[row + v] * scale * vec4<f32>(bf16_pair(pairs.x), bf16_pair(pairs.y));
    }
  }
}

// How many experts stand before this one.
fn rank(expert: u32) -> u32 {
  let own = logits[expert];
  var before = 0u;
  for (var other = 0u; other < E; other++) {
    let value = logits[other];
    before += select(0u, 1u, value > own || (value == own && other < expert));
  }
  return before;
}
