// Rotates four rotary pairs of one head and puts them where they belong: q heads to `q`, k heads (rotated) and v heads
// (as they are) to the KV cache. Needs the constants Q, K, D, CAPACITY, a KV format (lib/kv-*), and the kernel's
// bindings step, rope, q, keys, values:
//   rope : [positions, D/2] of (cos, sin), two pairs a vec4    q : [T, Q*D] f32 as vec4
//   keys, values : [K, CAPACITY, D] as KvVec, position p in slot p % CAPACITY
const HALF_VECS: u32 = D / 8u; // vec4s in half a head

// Dims i..i+3 and i+D/2..i+D/2+3 of one head.
struct RotaryPairs {
  first: vec4<f32>,
  second: vec4<f32>,
}

// Cosines and sines of four pairs.
struct Turn {
  cosines: vec4<f32>,
  sines: vec4<f32>,
}

fn turn_at(position: u32, pairs: u32) -> Turn {
  let at = position * (D / 4u) + 2u * pairs;
  let a = rope[at];
  let b = rope[at + 1u];
  return Turn(vec4<f32>(a.xz, b.xz), vec4<f32>(a.yw, b.yw));
}

// Half-split pairing: dim i turns with dim i + D/2.
fn rotate_pairs(x: RotaryPairs, turn: Turn) -> RotaryPairs {
  return RotaryPairs(
    x.first * turn.cosines - x.second * turn.sines,
    x.second * turn.cosines + x.first * turn.sines,
  );
}

fn kv_slot(kv_head: u32, position: u32) -> u32 {
  return (kv_head * CAPACITY + position % CAPACITY) * (D / 4u);
}

// `head` counts q heads, then k heads, then v heads; `pairs` = i / 4; `turn` is that of the token's position.
fn store_pairs(token: u32, head: u32, pairs: u32, x: RotaryPairs, turn: Turn) {
  let position = step.position + token;
  if (head >= Q + K) {
    let at = kv_slot(head - Q - K, position) + pairs;
    values[at] = kv_pack(x.first);
    values[at + HALF_VECS] = kv_pack(x.second);
    return;
  }
  let rotated = rotate_pairs(x, turn);
  if (head >= Q) {
    let at = kv_slot(head - Q, position) + pairs;
    keys[at] = kv_pack(rotated.first);
    keys[at + HALF_VECS] = kv_pack(rotated.second);
    return;
  }
  let at = (token * Q + head) * (D / 4u) + pairs;
  q[at] = rotated.first;
  q[at + HALF_VECS] = rotated.second;
}
