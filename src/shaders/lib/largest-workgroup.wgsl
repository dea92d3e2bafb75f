// The form without subgroups of lib/largest-subgroups.wgsl: sixteen lanes each look through a sixteenth, then all through theirs.
struct Lane {
  @builtin(local_invocation_index) index: u32,
}

const LARGEST_VECS: u32 = WG_SIZE;
const LARGEST_LANES: u32 = 16u;

fn workgroup_largest(value: vec4<f32>, lane: Lane) -> vec4<f32> {
  var largest = value;
  scratch[lane.index] = largest;
  workgroupBarrier();
  if (lane.index < LARGEST_LANES) {
    for (var i = lane.index + LARGEST_LANES; i < WG_SIZE; i += LARGEST_LANES) {
      largest = max(largest, scratch[i]);
    }
    scratch[lane.index] = largest;
  }
  workgroupBarrier();
  for (var i = 0u; i < LARGEST_LANES; i++) {
    largest = max(largest, scratch[i]);
  }
  return largest;
}
