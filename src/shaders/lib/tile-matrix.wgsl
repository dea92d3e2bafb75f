// The same products as lib/tile.wgsl, by subgroup matrices: f16 factors of MAT x MAT, f32 sums.
// Needs what lib/tile.wgsl needs; MAT (8 or 16); TILE_THREADS a multiple of 2 SUBGROUP, which is the exact size of a
// subgroup; TILE_M a multiple of MAT times TILE_THREADS / (2 SUBGROUP).
// An input is split in two f16, its nearest one and that of the rest, so that no more of it is lost than f32 sums lose;
// weights of MXFP4 and bf16 are exact in f16 down to 2^-24. Each of two columns of subgroups has half of the tile's
// weight rows, each row of them an equal share of the tokens. Sums return through workgroup memory, in the order
// of lib/tile.wgsl.
const TILE_N: u32 = 64u;
const TILE_Y: u32 = TILE_THREADS / 8u;
const TOKENS_PER_THREAD: u32 = TILE_M / TILE_Y;
const PARTS: u32 = 4u * TILE_N / TILE_THREADS; // eights of a row's 32 weights that an invocation expands
const NUM_BLOCKS: u32 = (K + 31u) / 32u;
const PITCH: u32 = 40u; // 32 and a gap, so that rows side by side lie in different banks
const SUBGROUP_TOKENS: u32 = TILE_M * 2u * SUBGROUP / TILE_THREADS;
const MATRICES: u32 = SUBGROUP_TOKENS / MAT; // one above another in a subgroup's share

var<workgroup> tile_high: array<f16, TILE_M * PITCH>;
var<workgroup> tile_low: array<f16, TILE_M * PITCH>;
var<workgroup> tile_weights: array<f16, TILE_N * PITCH>;
var<workgroup> tile_sums: array<f32, TILE_M * TILE_N>;

alias TileSums = array<vec4<f32>, 2u * TOKENS_PER_THREAD>;
alias Inputs = subgroup_matrix_left<f16, MAT, MAT>;
alias Weights = subgroup_matrix_right<f16, MAT, MAT>;
alias Sums = subgroup_matrix_result<f32, MAT, MAT>;

// Four inputs of a row; none beyond K.
fn tile_input(row: u32, column: u32) -> vec4<f32> {
  if (K % 32u != 0u && column >= K / 4u) {
    return vec4<f32>();
  }
  return inputs[row + column];
}

fn store_weights(at: u32, weights: vec4<f32>) {
  let halves = vec4<f16>(weights);
  tile_weights[at] = halves.x;
  tile_weights[at + 1u] = halves.y;
  tile_weights[at + 2u] = halves.z;
  tile_weights[at + 3u] = halves.w;
}

fn store_inputs(at: u32, values: vec4<f32>) {
  let high = vec4<f16>(values);
  let low = vec4<f16>(values - vec4<f32>(high));
  tile_high[at] = high.x;
  tile_high[at + 1u] = high.y;
  tile_high[at + 2u] = high.z;
  tile_high[at + 3u] = high.w;
  tile_low[at] = low.x;
  tile_low[at + 1u] = low.y;
  tile_low[at + 2u] = low.z;
  tile_low[at + 3u] = low.w;
}

// Sums of token i of the invocation with columns tx + 8 j: element 2 i for j = 0..3, element 2 i + 1 for j = 4..7.
fn tile_products(thread: u32, tile: vec4<u32>, first_row: u32) -> TileSums {
  let tx = thread % 8u;
  let ty = thread / 8u;
  let column = thread % TILE_N;
  let first_part = PARTS * (thread / TILE_N);
  let weight_row = tile_weight_row(tile, first_row, column);
  let subgroup = thread / SUBGROUP;
  let first_column = (subgroup % 2u) * (TILE_N / 2u);
  let first_token = (subgroup / 2u) * SUBGROUP_TOKENS;
  var weights = raw_weights(weight_row, 0u, first_part);
  var input_rows: array<u32, TOKENS_PER_THREAD>;
  var taken: array<vec4<f32>, TOKENS_PER_THREAD>;
  for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
    input_rows[i] = tile_input_row(tile, ty + TILE_Y * i) * (K / 4u);
    taken[i] = tile_input(input_rows[i], tx);
  }
  var left_sums: array<Sums, MATRICES>;
  var right_sums: array<Sums, MATRICES>;
  for (var block = 0u; block < NUM_BLOCKS; block++) {
    workgroupBarrier(); // the step before may still be read
    for (var part = 0u; part < PARTS; part++) {
      let eight = expand_weights(weights, part);
      store_weights(column * PITCH + 8u * (first_part + part), eight[0]);
      store_weights(column * PITCH + 8u * (first_part + part) + 4u, eight[1]);
    }
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      store_inputs((ty + TILE_Y * i) * PITCH + 4u * tx, taken[i]);
    }
    workgroupBarrier();
    let next = min(block + 1u, NUM_BLOCKS - 1u);
    weights = raw_weights(weight_row, next, first_part);
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      taken[i] = tile_input(input_rows[i], next * 8u + tx);
    }
    for (var k = 0u; k < 32u; k += MAT) {
      let left = subgroupMatrixLoad<Weights>(&tile_weights, first_column * PITCH + k, true, PITCH);
      let right = subgroupMatrixLoad<Weights>(&tile_weights, (first_column + MAT) * PITCH + k, true, PITCH);
      for (var i = 0u; i < MATRICES; i++) {
        let token = first_token + MAT * i;
        if (token < tile.z) {
          let high = subgroupMatrixLoad<Inputs>(&tile_high, token * PITCH + k, false, PITCH);
          let low = subgroupMatrixLoad<Inputs>(&tile_low, token * PITCH + k, false, PITCH);
          left_sums[i] = subgroupMatrixMultiplyAccumulate(low, left, left_sums[i]);
          right_sums[i] = subgroupMatrixMultiplyAccumulate(low, right, right_sums[i]);
          left_sums[i] = subgroupMatrixMultiplyAccumulate(high, left, left_sums[i]);
          right_sums[i] = subgroupMatrixMultiplyAccumulate(high, right, right_sums[i]);
        }
      }
    }
  }
  for (var i = 0u; i < MATRICES; i++) {
    let at = (first_token + MAT * i) * TILE_N + first_column;
    subgroupMatrixStore(&tile_sums, at, left_sums[i], false, TILE_N);
    subgroupMatrixStore(&tile_sums, at + MAT, right_sums[i], false, TILE_N);
  }
  workgroupBarrier();
  var sums = TileSums();
  for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
    for (var j = 0u; j < 8u; j++) {
      sums[2u * i + j / 4u][j % 4u] = tile_sums[(ty + TILE_Y * i) * TILE_N + tx + 8u * j];
    }
  }
  return sums;
}
