// MXFP4 by arithmetic on f32 bits, right on every adapter (lib/mxfp4-half.wgsl: the same functions, faster, not everywhere).
// A block is 32 four-bit codes in a vec4<u32> (element 2i in the low half of byte i, 2i+1 in the high half) and one scale
// byte; value = code * 2^(scale - 127). Codes 0..7 are 0, 0.5, 1, 1.5, 2, 3, 4, 6; 8..15 their negatives.

// The four codes in the low 16 bits of `codes`, as a quarter of their values.
// The three magnitude bits (two of exponent, one of mantissa) go to bits 22..24 of a float whose exponent starts at
// 124: that is a quarter of the value for codes 2..7, and no float is subnormal. Codes 0 and 1 come out as 1/8 and 3/16
// where 0 and 1/8 are due; 2m - 1/4 mends them and is never below m from code 2 on, so the smaller one is right:
//   code 1: m = 3/16, 2m - 1/4 = 1/8 = 0.5 / 4     code 2: m = 1/4 = 2m - 1/4     code 7: m = 1.5 < 2.75
fn mxfp4_quarters(codes: u32) -> vec4<f32> {
  let bits = vec4<u32>(codes);
  let shifted = (bits << vec4<u32>(22u, 18u, 14u, 10u)) & vec4<u32>(0x01c00000u);
  let magnitude = bitcast<vec4<f32>>(shifted | vec4<u32>(0x3e000000u));
  let mended = min(magnitude, 2.0 * magnitude - 0.25);
  let sign = (bits << vec4<u32>(28u, 24u, 20u, 16u)) & vec4<u32>(0x80000000u);
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(mended) | sign);
}

// The eight codes of a word, in units of 4.
fn mxfp4_eight(word: u32) -> array<vec4<f32>, 2> {
  return array<vec4<f32>, 2>(mxfp4_quarters(word), mxfp4_quarters(word >> 16u));
}

// The unit of `mxfp4_eight`.
const MXFP4_UNIT: f32 = 4.0;

// The two factors whose product is 4 * 2^(scale - 127): applied one after the other, both stay normal floats for every
// scale byte (4 * 2^128 would overflow), and a value that f32 can hold is never lost on the way.
fn mxfp4_factors(scale: u32) -> vec2<f32> {
  let half = scale >> 1u;
  return bitcast<vec2<f32>>(vec2<u32>(half + 65u, scale - half + 64u) << vec2<u32>(23u));
}

// Byte `index` of a byte array whose word `index / 4` is `word`.
fn mxfp4_scale_byte(word: u32, index: u32) -> u32 {
  return (word >> ((index * 8u) & 31u)) & 0xffu;
}
