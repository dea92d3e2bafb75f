// Expert weights as MXFP4 (after lib/mxfp4.wgsl or lib/mxfp4-half.wgsl; for vec kernels before lib/expert-mxfp4-f32.wgsl or
// lib/expert-mxfp4-packed.wgsl). Together the functions of lib/expert-bf16.wgsl.
// Needs: E, FIRST_EXPERT, PART_EXPERTS, KB blocks of 32 weights a row; bindings `blocks: array<vec4<u32>>` [rows, KB] and
// `scales: array<u32>` [rows, KB] bytes, whose rows need not start at a word. A row counts over the bound experts.

// Where an expert stands in the bound weights: those of experts FIRST_EXPERT to FIRST_EXPERT + PART_EXPERTS - 1.
fn expert_slot(expert: u32) -> u32 {
  return min(expert, E - 1u) - FIRST_EXPERT;
}

// Whether an expert's weights are bound. Always, where they need no more than one buffer.
fn expert_is_here(expert: u32) -> bool {
  return PART_EXPERTS == E || expert_slot(expert) < PART_EXPERTS;
}

// A block of a row as stored.
struct ExpertBlock {
  codes: vec4<u32>,
  scale_word: u32,
  scale_index: u32,
}

fn expert_block(row: u32, block: u32) -> ExpertBlock {
  let index = row * KB + block;
  return ExpertBlock(blocks[index], scales[index / 4u], index);
}
