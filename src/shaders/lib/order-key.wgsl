// f32 as u32 in the same order, so that they are compared exactly and subgroups can find the largest. 0 and -0 are equal.
fn order_key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let is_zero = (bits << 1u) == 0u;
  return select(select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u), 0x80000000u, is_zero);
}

fn order_value(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
