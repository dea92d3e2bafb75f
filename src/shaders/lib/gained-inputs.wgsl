// Inputs of a fused norm and projection (after lib/dense-inputs.wgsl). The norm's scale is one factor of the whole row, to be
// applied to the sums; its gain belongs to the inputs. Needs the binding `gain: array<vec2<u32>>` [H] bf16.

// Puts the inputs of load `i` times their gains into `inputs` and gives their sum of squares without gains.
// `input` is where the row starts in `x`.
fn gained_inputs(input: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  var squares = 0.0;
  for (var v = 0u; v < LOAD_VECS; v++) {
    let at = dense_input(i, v);
    let a = dense_x(input, at);
    let g = gain[select(at, min(at, WEIGHT_COLUMNS / 4u - 1u), ROW_IS_PADDED)]; // in the padding `a` is 0
    (*inputs).vecs[v] = a * vec4<f32>(bf16_pair(g.x), bf16_pair(g.y));
    squares += dot(a, a);
  }
  complete_inputs(inputs);
  return squares;
}
