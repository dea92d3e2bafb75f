// read-bandwidth: sums[i] = exclusive-or of data[i], data[i + S], data[i + 2 S] …, S the invocations of the grid
//   data : [VECS] vec4<u32>, of any content    sums : [S] vec4<u32>, so that no load can be left out
//   grid : (groups, 1, 1) of WG_SIZE; any number of groups, each lane four loads at a time
// Neighbouring lanes read neighbouring vec4s: the pattern a GPU reads fastest, and so the ceiling of kernels that must read.
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<u32>>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let stride = groups.x * WG_SIZE;
  var sum = vec4<u32>();
  var i = id.x;
  for (; i + 3u * stride < VECS; i += 4u * stride) {
    let a = data[i];
    let b = data[i + stride];
    let c = data[i + 2u * stride];
    let d = data[i + 3u * stride];
    sum ^= (a ^ b) ^ (c ^ d);
  }
  for (; i < VECS; i += stride) {
    sum ^= data[i];
  }
  sums[id.x] = sum;
}
