// Products of MXFP4 blocks with inputs that are quantised to int8, a scale a block, by dot4I8Packed (after
// lib/expert-mxfp4.wgsl and lib/int8-activations.wgsl). Same functions as lib/expert-mxfp4-f32.wgsl.

// A block of inputs as codes. A word of weights has those of elements 0, 2, 4 and 6 in the low halves of its bytes and those
// of 1, 3, 5 and 7 in the high ones: word i of `even` and of `odd` has the inputs that they meet.
struct ExpertInputs {
  even: vec4<u32>,
  odd: vec4<u32>,
  start: i32, // of the sum of odd elements, see below
  scale: f32,
}

fn expert_inputs(taken: array<vec4<f32>, 8>) -> ExpertInputs {
  var magnitudes = abs(taken[0]);
  for (var i = 1u; i < 8u; i++) {
    magnitudes = max(magnitudes, abs(taken[i]));
  }
  let range = int8_range(magnitudes);
  let inverse = 127.0 / range;
  var even: array<u32, 4>;
  var odd: array<u32, 4>;
  var start = RAISED_ZERO_BITS;
  for (var i = 0u; i < 4u; i++) {
    let a = taken[2u * i];
    let b = taken[2u * i + 1u];
    even[i] = int8_word(vec4<f32>(a.xz, b.xz), inverse);
    odd[i] = int8_word(vec4<f32>(a.yw, b.yw), inverse);
    start += -128 * dot4I8Packed(odd[i], 0x01010101u);
  }
  return ExpertInputs(
    vec4<u32>(even[0], even[1], even[2], even[3]),
    vec4<u32>(odd[0], odd[1], odd[2], odd[3]),
    start,
    range * (1.0 / 127.0),
  );
}

// What `expert_dot` is to be multiplied with in the end: its whole numbers count 16ths of halves of inputs' codes.
fn expert_unit(inputs: ptr<function, ExpertInputs>) -> f32 {
  return (*inputs).scale * 0.03125;
}

// Sums of codes of inputs times magnitudes of weights, and those of negative weights alone. Odd ones count 16 times, and
// their magnitudes as 8 less than they are.
struct Magnitudes {
  even: i32,
  odd: i32,
  negative_even: i32,
  negative_odd: i32,
}

// Adds eight products: 20 instructions, of which 4 dot products (by way of f16 and f32 they take 27). All eight codes
// of a word are worked on in their places, four bits each. Twice the value of a code is a whole number of four bits:
//   m, the lower three bits   0 1 2 3 4 5 6  7
//   twice its value           0 1 2 3 4 6 8 12 = m + t + u: t the lower two bits of m from 4 on, u = 2 if those are 3
// No byte is negated, which could carry into the next: value * x = magnitude * x - 2 * (negative magnitude) * x. In high
// halves of bytes magnitudes stay where they are: with the top bit turned, such a byte is the int8 16 * (magnitude - 8), and
// the 8s leave by `start`: odd - 2 * negative_odd has them -1 + 2 times, 128 * (sum of the inputs' codes) in all.
fn add_products(sums: ptr<function, Magnitudes>, word: u32, even: u32, odd: u32) {
  let t = word & (((word >> 2u) & 0x11111111u) * 3u);
  let y = (word & 0x77777777u) + t + (t & (t << 1u));
  let negative = y & (((word >> 3u) & 0x11111111u) * 15u);
  (*sums).even += dot4I8Packed(y & 0x0f0f0f0fu, even);
  (*sums).odd += dot4I8Packed((y ^ 0x80808080u) & 0xf0f0f0f0u, odd);
  (*sums).negative_even += dot4I8Packed(negative & 0x0f0f0f0fu, even);
  (*sums).negative_odd += dot4I8Packed((negative ^ 0x80808080u) & 0xf0f0f0f0u, odd);
}

// The dot product of a block with its inputs, in units of `expert_unit`: a whole number below 2^20, so exact, times a power
// of two made of the scale byte as in lib/expert-mxfp4-f32.wgsl.
fn expert_dot(raw: ExpertBlock, inputs: ptr<function, ExpertInputs>) -> f32 {
  var sums = Magnitudes(0, (*inputs).start, 0, 0);
  add_products(&sums, raw.codes.x, (*inputs).even.x, (*inputs).odd.x);
  add_products(&sums, raw.codes.y, (*inputs).even.y, (*inputs).odd.y);
  add_products(&sums, raw.codes.z, (*inputs).even.z, (*inputs).odd.z);
  add_products(&sums, raw.codes.w, (*inputs).even.w, (*inputs).odd.w);
  let total = (sums.even - 2 * sums.negative_even) * 16 + (sums.odd - 2 * sums.negative_odd);
  return lowered(total) * bitcast<f32>(mxfp4_scale_byte(raw.scale_word, raw.scale_index) << 23u);
}
