// Expert weights as bf16 (after lib/bf16.wgsl). Same functions as lib/expert-mxfp4.wgsl, one of the two is used.
// Needs: E experts, KB blocks of 32 weights a row; binding `blocks: array<vec4<u32>>` [rows, KB, 4], eight weights an
// element. The binding `scales` stays unread. A row counts over all stored experts.

// Where an expert stands in the weights. A table of resident experts would be read here.
fn expert_slot(expert: u32) -> u32 {
  return min(expert, E - 1u);
}

// The dot product of one block of a row with 32 inputs.
fn expert_block_dot(row: u32, block: u32, inputs: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let first = (row * KB + block) * 4u;
  var sum = 0.0;
  for (var i = 0u; i < 4u; i++) {
    sum += dot_bf16x8(blocks[first + i], (*inputs)[2u * i], (*inputs)[2u * i + 1u]);
  }
  return sum;
}
