// Inputs of dense rows (after lib/dense-*). Needs the binding `x: array<vec4<f32>>`.

// Vec4 `at` of the row that starts at vec4 `row` of `x`; nothing where a padded row has no more.
fn dense_x(row: u32, at: u32) -> vec4<f32> {
  if (ROW_IS_PADDED && at >= WEIGHT_COLUMNS / 4u) {
    return vec4<f32>();
  }
  return x[row + at];
}
