// Eight weights as f16, in the order 0 4 1 5 2 6 3 7 (after lib/expert-mxfp4-tile.wgsl, for lib/tile-matrix.wgsl).
const WEIGHT_HALVES: u32 = 1u;

fn expand_rests(raw: RawWeights, part: u32) -> vec4<u32> {
  return vec4<u32>();
}

fn expand_halves(raw: RawWeights, part: u32) -> vec4<u32> {
  let word = raw.codes[part];
  // As in lib/mxfp4-half.wgsl, f16 that are the codes' values times 2^-14.
  let small = vec4<u32>(
    ((word << 12u) & 0x80008000u) | ((word << 9u) & 0x0e000e00u),
    ((word << 8u) & 0x80008000u) | ((word << 5u) & 0x0e000e00u),
    ((word << 4u) & 0x80008000u) | ((word << 1u) & 0x0e000e00u),
    (word & 0x80008000u) | ((word >> 3u) & 0x0e000e00u),
  );
  // Times 2^(scale - 127 + 14). That is at most 2^15 in f16; weights of less than 2^-14 of it are 0 in f16 anyway.
  let exponent = clamp(i32(raw.scale), 99, 143) - 113;
  let factor = vec2<f16>(bitcast<vec2<f16>>(u32(min(exponent, 15) + 15) << 10u).x);
  var halves = vec4<u32>(
    bitcast<u32>(bitcast<vec2<f16>>(small.x) * factor),
    bitcast<u32>(bitcast<vec2<f16>>(small.y) * factor),
    bitcast<u32>(bitcast<vec2<f16>>(small.z) * factor),
    bitcast<u32>(bitcast<vec2<f16>>(small.w) * factor),
  );
  if (exponent > 15) { // weights beyond 12: not in published checkpoints
    let rest = vec2<f16>(bitcast<vec2<f16>>(u32(exponent) << 10u).x);
    halves = vec4<u32>(
      bitcast<u32>(bitcast<vec2<f16>>(halves.x) * rest),
      bitcast<u32>(bitcast<vec2<f16>>(halves.y) * rest),
      bitcast<u32>(bitcast<vec2<f16>>(halves.z) * rest),
      bitcast<u32>(bitcast<vec2<f16>>(halves.w) * rest),
    );
  }
  return halves;
}
