// linear-tile: out[t,n] (+)= sum_k inputs[t,k] * weight[n,k] (+ bias[n])
//   inputs : [T, K] f32 as vec4    weight : [N, K] as in lib/dense-*    bias : [N] bf16, two per u32    out : [T, OUT_STRIDE] f32,
//   of which columns OUT_FIRST .. OUT_FIRST + N - 1 are written
//   grid : (ceil(N / 64), ceil(T / TILE_M), 1), TILE_THREADS invocations    needs K % 8 == 0, for int8 K % 32 == 0
//   ADD_BIAS adds the bias; ADD_TO_OUT adds to what `out` holds. Sums are f32 in order of k (lib/tile.wgsl).
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// A tile is (unused, first token, tokens, unused). Tokens beyond repeat the last one; they are not written, nor are rows beyond N.
fn tile_input_row(tile: vec4<u32>, m: u32) -> u32 {
  return tile.y + min(m, tile.z - 1u);
}

fn tile_weight_row(tile: vec4<u32>, first_row: u32, n: u32) -> u32 {
  return min(first_row + n, N - 1u);
}

@compute @workgroup_size(TILE_THREADS)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let first_token = group.y * TILE_M;
  if (step.stopped != 0u || first_token >= step.num_tokens) {
    return;
  }
  let tile = vec4<u32>(0u, first_token, min(TILE_M, step.num_tokens - first_token), 0u);
  let first_row = group.x * TILE_N;
  let sums = tile_products(thread, tile, first_row);
  for (var j = 0u; j < 8u; j++) {
    let row = first_row + thread % 8u + 8u * j;
    if (row < N) {
      var row_bias = 0.0;
      if (ADD_BIAS) {
        row_bias = bf16_select(bias[row / 2u], row);
      }
      for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
        let m = thread / 8u + TILE_Y * i;
        if (m < tile.z) {
          let at = (first_token + m) * OUT_STRIDE + OUT_FIRST + row;
          var value = sums[2u * i + j / 4u][j % 4u] + row_bias;
          if (ADD_TO_OUT) {
            value += out[at];
          }
          out[at] = value;
        }
      }
    }
  }
}
