// The choice of a token's experts from its logits: the A largest in falling order, ties to the lower expert; and their
// weights, a softmax over those A alone. Needs: E, A, WG_SIZE; lib/order-key.wgsl; binding `logits: array<f32>` [T, E].
// Subgroup form, after lib/reduce-subgroups.wgsl: every subgroup chooses for itself, in rounds, without a barrier.

struct Route {
  expert: u32,
  weight: f32,
}

struct Choice {
  key: u32,
  expert: u32,
}

// Logits that a lane keeps in registers: all of its own in subgroups of 32 and more. Smaller ones read the others again.
const CHOICE_SLOTS: u32 = (E + 31u) / 32u;

// The expert at `place` in the order of choice. Its weight is right only where `with_weight`, which must be uniform, as
// must `place`. To be called in uniform control flow.
fn choose_expert(token: u32, place: u32, with_weight: bool, lane: Lane) -> Route {
  let width = min(lane.subgroup_size, WG_SIZE - (lane.index - lane.subgroup_lane)); // the last may not be full
  var keys = array<u32, CHOICE_SLOTS>();
  for (var slot = 0u; slot < CHOICE_SLOTS; slot++) {
    let expert = lane.subgroup_lane + slot * width;
    keys[slot] = select(0u, choice_key(token, expert), expert < E);
  }
  var chosen = Choice(0xffffffffu, 0u); // no logit stands before it
  var largest = 0.0;
  var total = 0.0;
  var route = Route(0u, 0.0);
  let rounds = select(place + 1u, A, with_weight);
  for (var round = 0u; round < rounds; round++) {
    var mine = Choice(0u, 0xffffffffu); // the lane's first in the order after those chosen
    for (var slot = 0u; slot < CHOICE_SLOTS; slot++) {
      mine = first_after(chosen, mine, Choice(keys[slot], lane.subgroup_lane + slot * width));
    }
    for (var expert = lane.subgroup_lane + CHOICE_SLOTS * width; expert < E; expert += width) {
      mine = first_after(chosen, mine, Choice(choice_key(token, expert), expert));
    }
    let key = subgroupMax(mine.key);
    chosen = Choice(key, subgroupMin(select(0xffffffffu, mine.expert, mine.key == key)));
    if (with_weight) {
      let value = order_value(key);
      largest = select(largest, value, round == 0u);
      let power = exp(value - largest);
      total += power;
      route.weight = select(route.weight, power, round == place);
    }
    route.expert = select(route.expert, chosen.expert, round == place);
  }
  return Route(min(route.expert, E - 1u), route.weight / max(total, 1.0));
}

fn choice_key(token: u32, expert: u32) -> u32 {
  return order_key(logits[token * E + min(expert, E - 1u)]);
}

// The candidate, where it stands after what is chosen and has a larger key than `best`, whose expert is a lower one.
fn first_after(chosen: Choice, best: Choice, candidate: Choice) -> Choice {
  let is_after = candidate.key < chosen.key || (candidate.key == chosen.key && candidate.expert > chosen.expert);
  if (is_after && candidate.key > best.key) {
    return candidate;
  }
  return best;
}
