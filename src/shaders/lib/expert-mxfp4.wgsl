// Expert weights as MXFP4 (after lib/mxfp4.wgsl or lib/mxfp4-half.wgsl). Same functions as lib/expert-bf16.wgsl, one of the two is used.
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

// What `expert_dot` is to be multiplied with in the end.
const EXPERT_UNIT: f32 = MXFP4_UNIT;

// The dot product of a block with 32 inputs, in units of EXPERT_UNIT. The factor 2^(scale - 127) is one float made of the
// scale byte: exact but for byte 0, whose block counts as 0 (weights of at most 6 * 2^-127), and 255 (no number in MXFP4).
// The unit is left to the end of the sum: of it, what is below 2^-112 may be lost.
fn expert_dot(raw: ExpertBlock, inputs: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let a = mxfp4_eight(raw.codes.x);
  let b = mxfp4_eight(raw.codes.y);
  let c = mxfp4_eight(raw.codes.z);
  let d = mxfp4_eight(raw.codes.w);
  var sums = a[0] * (*inputs)[0];
  sums = fma(a[1], (*inputs)[1], sums);
  sums = fma(b[0], (*inputs)[2], sums);
  sums = fma(b[1], (*inputs)[3], sums);
  sums = fma(c[0], (*inputs)[4], sums);
  sums = fma(c[1], (*inputs)[5], sums);
  sums = fma(d[0], (*inputs)[6], sums);
  sums = fma(d[1], (*inputs)[7], sums);
  let factor = bitcast<f32>(mxfp4_scale_byte(raw.scale_word, raw.scale_index) << 23u);
  return (sums.x + sums.y + sums.z + sums.w) * factor;
}
