// rope-kv-write: rotates q and k of every token; q goes to `q`, k and v to the KV cache (see lib/rope-kv.wgsl)
//   qkv  : [T, (Q+2K)*D] f32 as vec4: q heads, k heads, v heads; bias already added
//   rope, q, keys, values : as in lib/rope-kv.wgsl
//   grid : (ceil((Q+2K)*D/8 / WG_SIZE), T, 1), one invocation for four rotary pairs    needs D % 8 == 0
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> rope: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> keys: array<KvVec>;
@group(0) @binding(5) var<storage, read_write> values: array<KvVec>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (step.stopped != 0u || id.y >= step.num_tokens || id.x >= (Q + 2u * K) * HALF_VECS) {
    return;
  }
  let head = id.x / HALF_VECS;
  let pairs = id.x % HALF_VECS;
  let at = (id.y * (Q + 2u * K) + head) * (D / 4u) + pairs;
  store_pairs(id.y, head, pairs, RotaryPairs(qkv[at], qkv[at + HALF_VECS]), turn_at(step.position + id.y, pairs));
}
