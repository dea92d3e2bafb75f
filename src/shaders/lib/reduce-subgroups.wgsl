// Sums over a workgroup of WG_SIZE invocations, NUM_SUMS at a time; every invocation gets the results.
// To be called once in a kernel: the scratch is not guarded against a second round.
// Subgroup form: one subgroupAdd a sum, then one slot a subgroup in workgroup memory. Any subgroup size from 4 to 64;
// invocations of a 1-D workgroup are assumed to fill subgroups in order (so in Vulkan, Metal and D3D12 as they stand;
// model/choose-variant.ts tries it at load).
struct Lane {
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
}

const MAX_SUBGROUPS: u32 = (WG_SIZE + 3u) / 4u;
var<workgroup> reduce_scratch: array<array<f32, NUM_SUMS>, MAX_SUBGROUPS>;

fn workgroup_sum(values: array<f32, NUM_SUMS>, lane: Lane) -> array<f32, NUM_SUMS> {
  var sums = values;
  for (var i = 0u; i < NUM_SUMS; i++) {
    sums[i] = subgroupAdd(sums[i]);
  }
  if (lane.subgroup_lane == 0u) {
    reduce_scratch[lane.index / lane.subgroup_size] = sums;
  }
  workgroupBarrier();
  let num_subgroups = (WG_SIZE + lane.subgroup_size - 1u) / lane.subgroup_size;
  sums = reduce_scratch[0];
  for (var s = 1u; s < num_subgroups; s++) {
    for (var i = 0u; i < NUM_SUMS; i++) {
      sums[i] += reduce_scratch[s][i];
    }
  }
  return sums;
}
