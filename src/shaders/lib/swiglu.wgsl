// gpt-oss's gated activation, needs the constant LIMIT: g * sigmoid(1.702 g) * (l + 1) with g = min(gate, LIMIT) and
// l = clamp(up, -LIMIT, LIMIT). The gate is clamped above only.
const SWIGLU_ALPHA: f32 = 1.702;
// Below this gate the result is under 1e-40, which f32 rounds to 0 or nearly so; it keeps every step finite.
const SWIGLU_GATE_FLOOR: f32 = -60.0;

fn swiglu(gate: f32, up: f32) -> f32 {
  let g = clamp(gate, SWIGLU_GATE_FLOOR, LIMIT);
  let l = clamp(up, -LIMIT, LIMIT);
  let e = exp(-abs(SWIGLU_ALPHA * g)); // at most 1, whatever the sign
  return g * (select(e, 1.0, g >= 0.0) / (1.0 + e)) * (l + 1.0);
}
