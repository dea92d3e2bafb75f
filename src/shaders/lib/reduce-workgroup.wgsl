// Sums over a workgroup of WG_SIZE invocations, NUM_SUMS at a time; every invocation gets the results.
// To be called once in a kernel: the scratch is not guarded against a second round.
// Workgroup-memory form: a tree over a power of two, for adapters without subgroups.
struct Lane {
  @builtin(local_invocation_index) index: u32,
}

var<workgroup> reduce_scratch: array<array<f32, NUM_SUMS>, WG_SIZE>;

fn workgroup_sum(values: array<f32, NUM_SUMS>, lane: Lane) -> array<f32, NUM_SUMS> {
  reduce_scratch[lane.index] = values;
  for (var stride = WG_SIZE / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (lane.index < stride) {
      for (var i = 0u; i < NUM_SUMS; i++) {
        reduce_scratch[lane.index][i] += reduce_scratch[lane.index + stride][i];
      }
    }
  }
  workgroupBarrier();
  return reduce_scratch[0];
}
