// Expert weights as MXFP4 (after lib/mxfp4.wgsl or lib/mxfp4-half.wgsl; for vec kernels before lib/expert-mxfp4-f32.wgsl or
// lib/expert-mxfp4-packed.wgsl). Together the functions of lib/expert-bf16.wgsl.
// Needs: E, IS_WHOLE, KB blocks of 32 weights a row; bindings `part`, `blocks: array<vec4<u32>>` [rows, KB] and
// `scales: array<u32>` [rows, KB] bytes, whose rows need not start at a word. A row counts over the bound experts.

// Where an expert stands in the bound weights: those of all experts, or of `part.count` from `part.first` on.
fn expert_slot(expert: u32) -> u32 {
  let known = min(expert, E - 1u);
  if (IS_WHOLE) {
    return known;
  }
  return known - part.first;
}

// Whether an expert's weights are bound. Always, where they need no more than one buffer.
fn expert_is_here(expert: u32) -> bool {
  return IS_WHOLE || expert_slot(expert) < part.count;
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
