// The form without subgroups of lib/largest-subgroups.wgsl: sixteen lanes each look through a sixteenth, then all through theirs.
struct Lane {
  @builtin(local_invocation_index) index: u32,
}

const LARGEST_VECS: u32 = WG_SIZE;
const LARGEST_LANES: u32 = 16u;

fn workgroup_largest(first: vec4<f32>, second: vec4<f32>, lane: Lane) -> array<vec4<f32>, 2> {
  var largest = array<vec4<f32>, 2>(largest_of_lanes(first, lane.index), second);
  if (QUADS > 1u) {
    workgroupBarrier(); // the second goes to the same place
    largest[1] = largest_of_lanes(second, lane.index);
  }
  return largest;
}

fn largest_of_lanes(value: vec4<f32>, lane: u32) -> vec4<f32> {
  var largest = value;
  scratch[lane] = largest;
  workgroupBarrier();
  if (lane < LARGEST_LANES) {
    for (var i = lane + LARGEST_LANES; i < WG_SIZE; i += LARGEST_LANES) {
      largest = max(largest, scratch[i]);
    }
    scratch[lane] = largest;
  }
  workgroupBarrier();
  for (var i = 0u; i < LARGEST_LANES; i++) {
    largest = max(largest, scratch[i]);
  }
  return largest;
}
