// Expert weights as bf16 (after lib/bf16.wgsl). Same functions as lib/expert-mxfp4.wgsl, one of the two is used.
// Needs: E, IS_WHOLE, KB blocks of 32 weights a row; bindings `part` and `blocks: array<vec4<u32>>` [rows, KB, 4], eight weights an
// element. The binding `scales` stays unread. A row counts over the bound experts.

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
  pairs: array<vec4<u32>, 4>,
}

fn expert_block(row: u32, block: u32) -> ExpertBlock {
  let first = (row * KB + block) * 4u;
  return ExpertBlock(array<vec4<u32>, 4>(blocks[first], blocks[first + 1u], blocks[first + 2u], blocks[first + 3u]));
}

// A block of inputs as `expert_dot` takes it: as it is.
alias ExpertInputs = array<vec4<f32>, 8>;

fn expert_inputs(taken: array<vec4<f32>, 8>) -> ExpertInputs {
  return taken;
}

// What `expert_dot` is to be multiplied with in the end.
fn expert_unit(inputs: ptr<function, ExpertInputs>) -> f32 {
  return 1.0;
}

// The dot product of a block with 32 inputs, in units of `expert_unit`.
fn expert_dot(raw: ExpertBlock, inputs: ptr<function, ExpertInputs>) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < 4u; i++) {
    sum += dot_bf16x8(raw.pairs[i], (*inputs)[2u * i], (*inputs)[2u * i + 1u]);
  }
  return sum;
}
