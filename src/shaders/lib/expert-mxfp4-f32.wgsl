// Products of MXFP4 blocks with f32 inputs (after lib/expert-mxfp4.wgsl). Same functions as lib/expert-mxfp4-packed.wgsl,
// one of the two is used.

// A block of inputs as `expert_dot` takes it: as it is.
alias ExpertInputs = array<vec4<f32>, 8>;

fn expert_inputs(taken: array<vec4<f32>, 8>) -> ExpertInputs {
  return taken;
}

// What `expert_dot` is to be multiplied with in the end.
fn expert_unit(inputs: ptr<function, ExpertInputs>) -> f32 {
  return MXFP4_UNIT;
}

// The dot product of a block with 32 inputs, in units of `expert_unit`. The factor 2^(scale - 127) is one float made of the
// scale byte: exact but for byte 0, whose block counts as 0 (weights of at most 6 * 2^-127), and 255 (no number in MXFP4).
// The unit is left to the end of the sum: of it, what is below 2^-112 may be lost.
fn expert_dot(raw: ExpertBlock, inputs: ptr<function, ExpertInputs>) -> f32 {
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
