// Rows of a dense matrix stored as bf16 (after lib/bf16.wgsl). Same functions as lib/dense-int8.wgsl, one of the two is used.
// Needs: WEIGHT_COLUMNS, a multiple of 8; binding `weight: array<vec4<u32>>` [rows, WEIGHT_COLUMNS], eight weights an element.
const ROW_LOADS: u32 = WEIGHT_COLUMNS / 8u; // vec4<u32> in a row
const LOAD_VECS: u32 = 2u;                  // vec4s of inputs that the weights of one load meet
const ROW_IS_PADDED: bool = false;

struct DenseInputs {
  vecs: array<vec4<f32>, LOAD_VECS>,
}

// Which vec4 of a row meets vec4 `v` of load `i`.
fn dense_input(i: u32, v: u32) -> u32 {
  return LOAD_VECS * i + v;
}

// To be called once all `vecs` of a load are there: nothing is left to do.
fn complete_inputs(inputs: ptr<function, DenseInputs>) {
}

// The products of load `i` of a row with its inputs, summed.
fn dense_dot(row: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  return dot_bf16x8(weight[row * ROW_LOADS + i], (*inputs).vecs[0], (*inputs).vecs[1]);
}
