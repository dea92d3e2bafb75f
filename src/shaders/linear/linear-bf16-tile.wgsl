// linear-bf16-tile: out[t,n] (+)= sum_k x[t,k] * weight[n,k] (+ bias[n])
//   x : [T, K] f32 as vec2    weight : [N, K] bf16, two per u32    bias : [N] bf16, two per u32    out : [T, N] f32
//   grid : (ceil(N / 64), ceil(T / 64), 1), 16 x 16 invocations a workgroup, 4 x 4 outputs an invocation
//   needs K % 2 == 0    sums : f32 in order of k
//   ADD_BIAS adds the bias; ADD_TO_OUT adds to what `out` holds.
// Tiles of 64 x 16 inputs and weights lie in workgroup memory as [k][row / 4] vec4s, with the row group exchanged by
// exclusive-or with k / 2, so that neither the stores (8 different k) nor the loads (one k) meet in a bank.
// 8 KiB in all: SwiftShader takes about 0.14 s a KiB to compile workgroup memory.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> x_tile: array<vec4<f32>, 256>;
var<workgroup> weight_tile: array<vec4<f32>, 256>;

fn tile_index(k: u32, row_group: u32) -> u32 {
  return k * 16u + (row_group ^ (k / 2u));
}

@compute @workgroup_size(16, 16)
fn main(
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3<u32>,
) {
  if (step.stopped != 0u || group.y * 64u >= step.num_tokens) {
    return;
  }
  let first_token = group.y * 64u;
  let first_row = group.x * 64u;
  let last_token = step.num_tokens - 1u;
  // While loading, one half of the workgroup takes inputs and the other weights: each invocation two neighbouring k
  // (a pair) of four rows.
  let loads_weights = lane >= 128u;
  let pair = lane % 8u;
  let row_group = (lane / 8u) % 16u;
  var sums = array<vec4<f32>, 4>();
  for (var k0 = 0u; k0 < K; k0 += 16u) {
    let column = k0 / 2u + pair;
    var pairs = array<vec2<f32>, 4>();
    if (column < K / 2u) {
      for (var i = 0u; i < 4u; i++) {
        if (loads_weights) {
          pairs[i] = bf16_pair(weight[min(first_row + row_group * 4u + i, N - 1u) * (K / 2u) + column]);
        } else {
          pairs[i] = x[min(first_token + row_group * 4u + i, last_token) * (K / 2u) + column];
        }
      }
    }
    let low = vec4<f32>(pairs[0].x, pairs[1].x, pairs[2].x, pairs[3].x);
    let high = vec4<f32>(pairs[0].y, pairs[1].y, pairs[2].y, pairs[3].y);
    workgroupBarrier();
    if (loads_weights) {
      weight_tile[tile_index(2u * pair, row_group)] = low;
      weight_tile[tile_index(2u * pair + 1u, row_group)] = high;
    } else {
      x_tile[tile_index(2u * pair, row_group)] = low;
      x_tile[tile_index(2u * pair + 1u, row_group)] = high;
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let a = x_tile[tile_index(k, local.y)];
      let b = weight_tile[tile_index(k, local.x)];
      sums[0] += a.x * b;
      sums[1] += a.y * b;
      sums[2] += a.z * b;
      sums[3] += a.w * b;
    }
  }
  for (var i = 0u; i < 4u; i++) {
    let token = first_token + local.y * 4u + i;
    for (var j = 0u; j < 4u; j++) {
      let row = first_row + local.x * 4u + j;
      if (token < step.num_tokens && row < N) {
        var value = sums[i][j];
        if (ADD_BIAS) {
          value += bf16_select(bias[row / 2u], row);
        }
        if (ADD_TO_OUT) {
          value += out[token * N + row];
        }
        out[token * N + row] = value;
      }
    }
  }
}
