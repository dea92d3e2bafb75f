// Activations as int8 codes, which a group of them shares an f32 scale for: greatest magnitude / 127. And whole numbers as
// floats without conversions, which take as long as four other instructions on some adapters: 1.5 * 2^23 + n is a float for
// |n| < 2^22, and its bits are those of 1.5 * 2^23 plus n, so n in two's complement stands in its lowest bits.
//   n = -3: 12582909.0 = 0x4b3ffffd, lowest byte 0xfd     n = 127: 12583039.0 = 0x4b40007f
const RAISED_ZERO: f32 = 12582912.0;
const RAISED_ZERO_BITS: i32 = 0x4b400000;

// A whole number whose sum began with RAISED_ZERO_BITS, as a float.
fn lowered(raised: i32) -> f32 {
  return bitcast<f32>(raised) - RAISED_ZERO;
}

// What the greatest magnitude of a group counts as: below it, codes are 0, and no quotient overflows.
fn int8_range(magnitudes: vec4<f32>) -> f32 {
  return max(max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w)), 1.0e-30);
}

// Four codes in a word, the first in its lowest byte: x * inverse to the nearest, ties to even.
fn int8_word(x: vec4<f32>, inverse: f32) -> u32 {
  let bits = bitcast<vec4<u32>>(fma(x, vec4<f32>(inverse), vec4<f32>(RAISED_ZERO)));
  return (bits.x & 0xffu) | ((bits.y & 0xffu) << 8u) | ((bits.z & 0xffu) << 16u) | (bits.w << 24u);
}
