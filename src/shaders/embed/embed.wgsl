// embed: out[t,h] = table[tokens[t], h]
//   tokens : [T] u32    out : [T, H] f32 as vec4
//   table  : [NUM_ROWS, H] bf16, four per vec2<u32>: rows FIRST_ROW .. of [V, H]; tokens of other rows are left out
//   grid   : (T, 1, 1), one workgroup a token    needs H % 4 == 0; ids beyond V are clamped to the last row
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
  if (step.stopped != 0u || group.x >= step.num_tokens) {
    return;
  }
  let table_row = min(tokens[group.x], V - 1u) - FIRST_ROW;
  if (table_row >= NUM_ROWS) {
    return;
  }
  let row = table_row * (H / 4u);
  for (var i = lane; i < H / 4u; i += WG_SIZE) {
    let four = table[row + i];
    out[group.x * (H / 4u) + i] = vec4<f32>(bf16_pair(four.x), bf16_pair(four.y));
  }
}
