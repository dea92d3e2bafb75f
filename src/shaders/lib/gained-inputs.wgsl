// Inputs of a fused norm and projection (after lib/dense-*). The norm's scale is one factor of the whole row, to be applied
// to the sums; its gain belongs to the inputs. Needs: bindings `x: array<vec4<f32>>` and `gain: array<vec4<u32>>` [H] bf16.

// Puts the inputs of load `i` times their gains into `inputs` and gives their sum of squares without gains.
// `input` is where the row starts in `x`.
fn gained_inputs(input: u32, i: u32, inputs: ptr<function, DenseInputs>) -> f32 {
  var squares = 0.0;
  for (var v = 0u; v < LOAD_VECS; v += 2u) {
    let at = LOAD_VECS * i + v;
    let a = x[input + at];
    let b = x[input + at + 1u];
    let g = gain[at / 2u];
    (*inputs)[v] = a * vec4<f32>(bf16_pair(g.x), bf16_pair(g.y));
    (*inputs)[v + 1u] = b * vec4<f32>(bf16_pair(g.z), bf16_pair(g.w));
    squares += dot(a, a) + dot(b, b);
  }
  return squares;
}
