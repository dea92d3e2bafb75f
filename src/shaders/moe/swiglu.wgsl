// swiglu: out[i] = g * sigmoid(1.702 g) * (l + 1), g = min(gate[i], LIMIT), l = clamp(up[i], -LIMIT, LIMIT)
//   gate, up, out : [N] f32    grid : (N / WG_SIZE, 1, 1)
// The experts' kernels call lib/swiglu.wgsl in their epilogue; this kernel is that function by itself.
@group(0) @binding(0) var<storage, read> gate: array<f32>;
@group(0) @binding(1) var<storage, read> up: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < N) {
    out[id.x] = swiglu(gate[id.x], up[id.x]);
  }
}
