// subgroup-order: what each invocation of a workgroup sees of its subgroup, and the workgroup's sum of (index + 1)^2
//   seen : [WG_SIZE, 2] vec4<u32>: (subgroup size, place in the subgroup, least and greatest index there), then (invocations
//          there, the index of the neighbours at distance 1 and 2 by exclusive-or, the sum by lib/reduce-subgroups.wgsl)
//   grid : (1, 1, 1)    needs WG_SIZE % 4 == 0
// What the libraries' subgroup forms take for granted, so that a device where it is otherwise can be told.
@group(0) @binding(0) var<storage, read_write> seen: array<vec4<u32>>;

@compute @workgroup_size(WG_SIZE)
fn main(lane: Lane) {
  let index = lane.index;
  let least = subgroupMin(index);
  let greatest = subgroupMax(index);
  let count = subgroupAdd(1u);
  let beside = subgroupShuffleXor(index, 1u);
  let across = subgroupShuffleXor(index, 2u);
  let sum = workgroup_sum(array<f32, NUM_SUMS>(f32((index + 1u) * (index + 1u))), lane);
  seen[2u * index] = vec4<u32>(lane.subgroup_size, lane.subgroup_lane, least, greatest);
  seen[2u * index + 1u] = vec4<u32>(count, beside, across, u32(sum[0]));
}
