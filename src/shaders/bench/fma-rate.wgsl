// fma-rate: out[i] = sum_c s_c, each of the eight chains s_c <- s_c * factor + term, ROUNDS times, from s_c = i + c
//   input : [2] vec4<f32>, factor and term, so that nothing is known when the kernel is compiled
//   out   : [invocations] vec4<f32>
//   grid  : (groups, 1, 1) of WG_SIZE
// 64 operations a round and invocation: eight chains of vec4s keep the arithmetic busy while each waits for itself.
@group(0) @binding(0) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let factor = input[0];
  let term = input[1];
  let first = vec4<f32>(f32(id.x));
  var s0 = first;
  var s1 = first + 1.0;
  var s2 = first + 2.0;
  var s3 = first + 3.0;
  var s4 = first + 4.0;
  var s5 = first + 5.0;
  var s6 = first + 6.0;
  var s7 = first + 7.0;
  for (var r = 0u; r < ROUNDS; r++) {
    s0 = fma(s0, factor, term);
    s1 = fma(s1, factor, term);
    s2 = fma(s2, factor, term);
    s3 = fma(s3, factor, term);
    s4 = fma(s4, factor, term);
    s5 = fma(s5, factor, term);
    s6 = fma(s6, factor, term);
    s7 = fma(s7, factor, term);
  }
  out[id.x] = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
}
