// The form without subgroups of lib/choose-experts-subgroups.wgsl: each lane counts how many experts stand before its own.
// To be called once in a kernel: what it leaves in workgroup memory is not guarded against a second round.

struct Route {
  expert: u32,
  weight: f32,
}

var<workgroup> choice_keys: array<u32, E>;
var<workgroup> choice: array<u32, A>;

fn choose_expert(token: u32, place: u32, with_weight: bool, lane: Lane) -> Route {
  for (var expert = lane.index; expert < E; expert += WG_SIZE) {
    choice_keys[expert] = order_key(logits[token * E + expert]);
  }
  workgroupBarrier();
  for (var expert = lane.index; expert < E; expert += WG_SIZE) {
    let rank = choice_rank(expert);
    if (rank < A) {
      choice[rank] = expert;
    }
  }
  workgroupBarrier();
  let chosen = choice[place];
  if (!with_weight) {
    return Route(chosen, 0.0);
  }
  let largest = order_value(choice_keys[choice[0]]);
  var total = 0.0;
  for (var a = 0u; a < A; a++) {
    total += exp(order_value(choice_keys[choice[a]]) - largest);
  }
  return Route(chosen, exp(order_value(choice_keys[chosen]) - largest) / total);
}

// How many experts stand before this one.
fn choice_rank(expert: u32) -> u32 {
  let own = choice_keys[expert];
  var before = 0u;
  for (var other = 0u; other < E; other++) {
    let key = choice_keys[other];
    before += select(0u, 1u, key > own || (key == own && other < expert));
  }
  return before;
}
