// KV cache elements as f32: four to a KvVec.
alias KvVec = vec4<f32>;

fn kv_unpack(packed: KvVec) -> vec4<f32> {
  return packed;
}

fn kv_pack(values: vec4<f32>) -> KvVec {
  return values;
}
