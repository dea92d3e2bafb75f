// The largest of every component over a workgroup; every invocation gets them. Works in
// LARGEST_VECS vec4s of the kernel's `scratch`. A barrier must lie between a call's end and the next call.
// Subgroup form: any subgroup size from 4 to 64; invocations fill subgroups in order.
struct Lane {
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
}

const LARGEST_VECS: u32 = (WG_SIZE + 3u) / 4u;

fn workgroup_largest(value: vec4<f32>, lane: Lane) -> vec4<f32> {
  var largest = subgroupMax(value);
  if (lane.subgroup_lane == 0u) {
    scratch[lane.index / lane.subgroup_size] = largest;
  }
  workgroupBarrier();
  let num_subgroups = (WG_SIZE + lane.subgroup_size - 1u) / lane.subgroup_size;
  for (var s = 0u; s < num_subgroups; s++) {
    largest = max(largest, scratch[s]);
  }
  return largest;
}
