// bf16 is the upper half of an f32, so expanding it is exact. A u32 holds two: low half first.
fn bf16_low(pair: u32) -> f32 {
  return bitcast<f32>(pair << 16u);
}

fn bf16_high(pair: u32) -> f32 {
  return bitcast<f32>(pair & 0xffff0000u);
}

fn bf16_pair(pair: u32) -> vec2<f32> {
  return vec2<f32>(bf16_low(pair), bf16_high(pair));
}

// Element `index` of a bf16 array whose word `index / 2` is `pair`.
fn bf16_select(pair: u32, index: u32) -> f32 {
  return select(bf16_low(pair), bf16_high(pair), (index & 1u) == 1u);
}

// Eight bf16 weights times eight inputs.
fn dot_bf16x8(weights: vec4<u32>, a: vec4<f32>, b: vec4<f32>) -> f32 {
  let first = vec4<f32>(bf16_pair(weights.x), bf16_pair(weights.y));
  let second = vec4<f32>(bf16_pair(weights.z), bf16_pair(weights.w));
  return dot(first, a) + dot(second, b);
}
