// MXFP4 by way of f16: the same functions as lib/mxfp4.wgsl, in half the instructions. A block is 32 four-bit codes in a
// vec4<u32> and one scale byte; value = code * 2^(scale - 127).
// Code 1 (0.5) becomes a subnormal f16, which WGSL allows an adapter to flush to 0: only for adapters that passed the
// test of src/model/choose-mxfp4.ts.

// The eight codes of a word, in units of 2^14. Sign, exponent (two bits) and mantissa (one bit) of codes i and i + 4 go
// to the same fields of the two f16 of a word: bit 15, bits 11..10, bit 9. An f16 so made is the value times 2^-14.
// `odd` has codes 1, 3, 5 and 7 so, each in a byte, and `even` the others, with bits of their neighbours between them.
fn mxfp4_eight(word: u32) -> array<vec4<f32>, 2> {
  let odd = (word & 0x80808080u) | ((word >> 3u) & 0x7f7f7f7fu);
  let even = ((word << 4u) & 0x80808080u) | ((word << 1u) & 0x7f7f7f7fu);
  let a = unpack2x16float((even << 8u) & 0x8e008e00u);
  let b = unpack2x16float((odd << 8u) & 0x8e008e00u);
  let c = unpack2x16float(even & 0x8e008e00u);
  let d = unpack2x16float(odd & 0x8e008e00u);
  return array<vec4<f32>, 2>(vec4<f32>(a.x, b.x, c.x, d.x), vec4<f32>(a.y, b.y, c.y, d.y));
}

// The unit of `mxfp4_eight`.
const MXFP4_UNIT: f32 = 16384.0;

// The two factors whose product is 2^14 * 2^(scale - 127), both normal floats for every scale byte.
fn mxfp4_factors(scale: u32) -> vec2<f32> {
  let half = scale >> 1u;
  return bitcast<vec2<f32>>(vec2<u32>(half + 70u, scale - half + 71u) << vec2<u32>(23u));
}

// Byte `index` of a byte array whose word `index / 4` is `word`.
fn mxfp4_scale_byte(word: u32, index: u32) -> u32 {
  return (word >> ((index * 8u) & 31u)) & 0xffu;
}
