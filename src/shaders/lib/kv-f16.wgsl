// KV cache elements as f16, two per u32: four to a KvVec. Needs no shader-f16.
alias KvVec = vec2<u32>;

const F16_MAX: f32 = 65504.0;

fn kv_unpack(packed: KvVec) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

fn kv_pack(values: vec4<f32>) -> KvVec {
  // Packing a number beyond f16 is indeterminate in WGSL, so it saturates.
  let v = clamp(values, vec4<f32>(-F16_MAX), vec4<f32>(F16_MAX));
  return vec2<u32>(pack2x16float(v.xy), pack2x16float(v.zw));
}
