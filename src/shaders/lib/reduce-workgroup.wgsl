// Sums over a workgroup of WG_SIZE invocations, NUM_SUMS at a time; every invocation gets the results.
// To be called once in a kernel: the scratch is not guarded against a second round.
// Workgroup-memory form: a tree over halves of the next power of two, for adapters without subgroups.
struct Lane {
  @builtin(local_invocation_index) index: u32,
}

var<workgroup> reduce_scratch: array<array<f32, NUM_SUMS>, WG_SIZE>;
const FIRST_STRIDE: u32 = 1u << firstLeadingBit(max(WG_SIZE, 2u) - 1u); // the greatest power of two below WG_SIZE

fn workgroup_sum(values: array<f32, NUM_SUMS>, lane: Lane) -> array<f32, NUM_SUMS> {
  reduce_scratch[lane.index] = values;
  for (var stride = FIRST_STRIDE; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (lane.index < stride && lane.index + stride < WG_SIZE) {
      for (var i = 0u; i < NUM_SUMS; i++) {
        reduce_scratch[lane.index][i] += reduce_scratch[lane.index + stride][i];
      }
    }
  }
  workgroupBarrier();
  return reduce_scratch[0];
}
