// rms-norm: out[t,h] = x[t,h] / sqrt(mean_h(x[t,h]^2) + EPS) * gain[h]
//   x, out : [T, H] f32 as vec4    gain : [H] bf16, two per u32
//   grid   : (T, 1, 1), one workgroup a token    needs H % 4 == 0
//   sums   : f32, strided per lane, then over the workgroup
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gain: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.x >= step.num_tokens) {
    return;
  }
  let base = group.x * (H / 4u);
  var squares = array<f32, NUM_SUMS>();
  for (var i = lane.index; i < H / 4u; i += WG_SIZE) {
    let v = x[base + i];
    squares[0] += dot(v, v);
  }
  let scale = inverseSqrt(workgroup_sum(squares, lane)[0] / f32(H) + EPS);
  for (var i = lane.index; i < H / 4u; i += WG_SIZE) {
    let g = gain[i];
    out[base + i] = x[base + i] * scale * vec4<f32>(bf16_pair(g.x), bf16_pair(g.y));
  }
}
