// embed: out[t,h] = table[tokens[t], h]
//   tokens : [T] u32    out : [T, H] f32 as vec4
//   table  : [part.count, H] bf16, four per vec2<u32>: rows part.first .. of [V, H]; tokens of other rows are left out. [V, H] where IS_WHOLE
//   grid   : (T, 1, 1), one workgroup a token    needs H % 4 == 0; ids beyond V are clamped to the last row
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> part: BoundPart;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.x >= step.num_tokens) {
    return;
  }
  var table_row = min(tokens[group.x], V - 1u);
  if (!IS_WHOLE) {
    table_row -= part.first;
    if (table_row >= part.count) {
      return;
    }
  }
  let row = table_row * (H / 4u);
  for (var i = lane; i < H / 4u; i += WG_SIZE) {
    let four = table[row + i];
    out[group.x * (H / 4u) + i] = vec4<f32>(bf16_pair(four.x), bf16_pair(four.y));
  }
}
