// The largest of every component over a workgroup, for QUADS (1 or 2) vec4s at a time; every invocation gets them. Works in
// LARGEST_VECS vec4s of the kernel's `scratch`. A barrier must lie between a call's end and the next call.
// Subgroup form: any subgroup size from 4 to 64; invocations fill subgroups in order.
struct Lane {
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
}

const LARGEST_VECS: u32 = QUADS * ((WG_SIZE + 3u) / 4u);

fn workgroup_largest(first: vec4<f32>, second: vec4<f32>, lane: Lane) -> array<vec4<f32>, 2> {
  var largest = array<vec4<f32>, 2>(subgroupMax(first), second);
  if (QUADS > 1u) {
    largest[1] = subgroupMax(second);
  }
  if (lane.subgroup_lane == 0u) {
    let at = lane.index / lane.subgroup_size * QUADS;
    scratch[at] = largest[0];
    if (QUADS > 1u) {
      scratch[at + 1u] = largest[1];
    }
  }
  workgroupBarrier();
  let num_subgroups = (WG_SIZE + lane.subgroup_size - 1u) / lane.subgroup_size;
  for (var s = 0u; s < num_subgroups; s++) {
    largest[0] = max(largest[0], scratch[s * QUADS]);
    if (QUADS > 1u) {
      largest[1] = max(largest[1], scratch[s * QUADS + 1u]);
    }
  }
  return largest;
}
