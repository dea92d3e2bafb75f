// linear-tile: out[t,n] (+)= sum_k inputs[t,k] * weight[n,k] (+ bias[n])
//   inputs : [T, K] f32 as vec4    weight : [N, K] as in lib/dense-*    bias : [N] bf16, two per u32    out : [T, OUT_STRIDE] f32,
//   of which columns OUT_FIRST .. OUT_FIRST + N - 1 are written
//   grid : (ceil(N / TILE_N), ceil(T / TILE_M), 1), TILE_THREADS invocations    needs K % 8 == 0, for int8 K % 32 == 0
//   ADD_BIAS adds the bias; ADD_TO_OUT adds to what `out` holds. Sums are f32 (lib/tile.wgsl or lib/tile-matrix.wgsl).
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// A tile is (unused, first token, tokens, unused).
fn tile_input_row(tile: vec4<u32>, m: u32) -> u32 {
  return tile.y + m;
}

fn tile_weight_row(tile: vec4<u32>, row: u32) -> u32 {
  return min(row, N - 1u);
}

fn tile_write(tile: vec4<u32>, m: u32, row: u32, sums: vec2<f32>) {
  let at = (tile.y + m) * OUT_STRIDE + OUT_FIRST + row;
  if (row < N) {
    write_one(at, row, sums.x);
  }
  if (row + 1u < N) {
    write_one(at + 1u, row + 1u, sums.y);
  }
}

fn write_one(at: u32, row: u32, sum: f32) {
  var value = sum;
  if (ADD_BIAS) {
    value += bf16_select(bias[row / 2u], row);
  }
  if (ADD_TO_OUT) {
    value += out[at];
  }
  out[at] = value;
}

@compute @workgroup_size(TILE_THREADS)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let first_token = group.y * TILE_M;
  if (step.stopped != 0u || first_token >= step.num_tokens) {
    return;
  }
  let tile = vec4<u32>(0u, first_token, min(TILE_M, step.num_tokens - first_token), 0u);
  tile_products(thread, tile, group.x * TILE_N);
}
