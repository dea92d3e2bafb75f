// The same products as lib/tile.wgsl, with the same needs, by subgroup matrices: f16 factors of 16 x 16, f32 sums.
// A subgroup of SUBGROUP invocations makes 32 tokens by 64 rows: TILE_M a multiple of 32, TILE_N of 64, TILE_THREADS =
// SUBGROUP (TILE_M / 32) (TILE_N / 64), not below TILE_N. The weights library also has
//   const WEIGHT_HALVES, how many f16 hold a weight: 1, or 2 where it has more bits than one: leading bits and rest
//   fn expand_halves(raw: RawWeights, part: u32) -> vec4<u32>    eight weights as f16, in the order 0 4 1 5 2 6 3 7, or
//                                                                their leading bits
//   fn expand_rests(raw: RawWeights, part: u32) -> vec4<u32>     their rests in that order; called where there are two
// Inputs are put in the same order, on which a sum of products does not depend.
// An input is split in two f16, its leading bits and the rest, so that hardly more of it is lost than f32 sums lose;
// weights are exact in f16 up to 2^15, MXFP4 from 2^-23 and bf16 (8 bits) from 2^-17, and those of int8 in two. The product of two rests is left
// out: it is at most 2^-21 of the whole, and of either sign. Of any weight what lies below 2^-25 is lost. Sums return to
// the invocations through workgroup memory.
// Matrices are single variables: in arrays they would lie in memory (measured on an H200: a third slower).
const SUBGROUP: u32 = 32u;
const PITCH: u32 = 3u; // eights a row of a block: 2 and a gap, so that rows side by side lie in different banks
const PARTS: u32 = 4u; // eights of a row's 32 weights, all by one invocation
const INPUT_PARTS: u32 = 4u * TILE_M / TILE_THREADS; // eights of inputs that an invocation splits
const INPUT_STRIDE: u32 = TILE_THREADS / 4u; // rows between them
const NUM_BLOCKS: u32 = (TILE_COLUMNS + 31u) / 32u;
const LOW: u32 = TILE_M / 8u;
const WEIGHTS: u32 = 2u * TILE_M / 8u;
const RESTS: u32 = WEIGHTS + TILE_N / 8u;
const SHRINK: f32 = 0.0625; // inputs up to 2^20 fit into f16 so, and hardly anything is lost below
const SUMS_PITCH: u32 = 5u; // vec4s a row of 16 sums, with a gap
const COLUMNS: u32 = TILE_N / 64u; // of subgroups

// 16 x 16 factors a block: two for 16 rows, with the first and the second half of a step's 32. Inputs' leading bits, their
// rest, weights, and their rest if they have one. An array of arrays, so that a matrix is read at a constant place of a
// block: then the bounds need no check at run time (measured on an H200: a quarter of the time).
var<workgroup> tile_blocks: array<array<vec4<u32>, 16u * PITCH>, WEIGHTS + WEIGHT_HALVES * TILE_N / 8u>;
var<workgroup> tile_sums: array<array<vec4<f32>, 16u * SUMS_PITCH>, TILE_THREADS / SUBGROUP>;

alias Inputs = subgroup_matrix_left<f16, 16, 16>;
alias Weights = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;

struct Eight {
  a: vec4<f32>,
  b: vec4<f32>,
}

// Inputs 8 eight .. of a row in the order of the steps; none beyond K.
fn tile_input(row: u32, eight: u32) -> Eight {
  return Eight(tile_input_four(row, 2u * eight), tile_input_four(row, 2u * eight + 1u));
}

fn tile_input_four(row: u32, place: u32) -> vec4<f32> {
  let column = tile_column(place);
  if (K != 32u * NUM_BLOCKS && column >= K / 4u) {
    return vec4<f32>();
  }
  return inputs[row + column] * SHRINK;
}

// The leading bits of a value, as many as f16 has.
fn leading(value: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(value) & vec4<u32>(0xffffe000u));
}

fn pack_eight(a: vec4<f32>, b: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(vec2<f32>(a.x, b.x)),
    pack2x16float(vec2<f32>(a.y, b.y)),
    pack2x16float(vec2<f32>(a.z, b.z)),
    pack2x16float(vec2<f32>(a.w, b.w)),
  );
}

// Block and place of eight `eight` (0..3) of a row's 32.
fn block_of(row: u32, eight: u32) -> u32 {
  return row / 16u * 2u + eight / 2u;
}

fn place_of(row: u32, eight: u32) -> u32 {
  return row % 16u * PITCH + eight % 2u;
}

fn store_inputs(row: u32, eight: u32, values: Eight) {
  let a = leading(values.a);
  let b = leading(values.b);
  let block = block_of(row, eight);
  let place = place_of(row, eight);
  tile_blocks[block][place] = pack_eight(a, b);
  tile_blocks[LOW + block][place] = pack_eight(values.a - a, values.b - b);
}

// Multiplies the tile with the rows from `first_row` on, and hands the sums to tile_write.
fn tile_products(thread: u32, tile: vec4<u32>, first_row: u32) {
  let eight = thread % 4u;
  let input = thread / 4u;
  let weight_row = tile_weight_row(tile, first_row + thread);
  let subgroup = thread / SUBGROUP;
  let first_token = (subgroup / COLUMNS) * 32u;
  let first_column = (subgroup % COLUMNS) * 64u;
  var weights: RawWeights;
  if (thread < TILE_N) {
    weights = raw_weights(weight_row, 0u, 0u);
  }
  var input_rows: array<u32, INPUT_PARTS>;
  var taken: array<Eight, INPUT_PARTS>;
  for (var i = 0u; i < INPUT_PARTS; i++) {
    input_rows[i] = tile_input_row(tile, min(input + INPUT_STRIDE * i, tile.z - 1u)) * (K / 4u);
    taken[i] = tile_input(input_rows[i], eight);
  }
  // Token block, then row block.
  var s00: Sums;
  var s01: Sums;
  var s02: Sums;
  var s03: Sums;
  var s10: Sums;
  var s11: Sums;
  var s12: Sums;
  var s13: Sums;
  for (var block = 0u; block < NUM_BLOCKS; block++) {
    workgroupBarrier(); // the step before may still be read
    if (thread < TILE_N) {
      for (var part = 0u; part < PARTS; part++) {
        tile_blocks[WEIGHTS + block_of(thread, part)][place_of(thread, part)] = expand_halves(weights, part);
        if (WEIGHT_HALVES == 2u) {
          tile_blocks[RESTS + block_of(thread, part)][place_of(thread, part)] = expand_rests(weights, part);
        }
      }
    }
    for (var i = 0u; i < INPUT_PARTS; i++) {
      store_inputs(input + INPUT_STRIDE * i, eight, taken[i]);
    }
    workgroupBarrier();
    let next = min(block + 1u, NUM_BLOCKS - 1u);
    if (thread < TILE_N) {
      weights = raw_weights(weight_row, next, 0u);
    }
    for (var i = 0u; i < INPUT_PARTS; i++) {
      if (input + INPUT_STRIDE * i < tile.z) {
        taken[i] = tile_input(input_rows[i], next * 4u + eight);
      }
    }
    if (first_token < tile.z) {
      for (var k = 0u; k < 2u; k++) {
        let at = first_token / 8u + k;
        let weights_at = WEIGHTS + first_column / 8u + k;
        let w0 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[weights_at], 0u, PITCH);
        let w1 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[weights_at + 2u], 0u, PITCH);
        let w2 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[weights_at + 4u], 0u, PITCH);
        let w3 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[weights_at + 6u], 0u, PITCH);
        let low0 = subgroupMatrixLoad<Inputs, row_major>(&tile_blocks[LOW + at], 0u, PITCH);
        s00 = subgroupMatrixMultiplyAccumulate(low0, w0, s00);
        s01 = subgroupMatrixMultiplyAccumulate(low0, w1, s01);
        s02 = subgroupMatrixMultiplyAccumulate(low0, w2, s02);
        s03 = subgroupMatrixMultiplyAccumulate(low0, w3, s03);
        let low1 = subgroupMatrixLoad<Inputs, row_major>(&tile_blocks[LOW + at + 2u], 0u, PITCH);
        s10 = subgroupMatrixMultiplyAccumulate(low1, w0, s10);
        s11 = subgroupMatrixMultiplyAccumulate(low1, w1, s11);
        s12 = subgroupMatrixMultiplyAccumulate(low1, w2, s12);
        s13 = subgroupMatrixMultiplyAccumulate(low1, w3, s13);
        let high0 = subgroupMatrixLoad<Inputs, row_major>(&tile_blocks[at], 0u, PITCH);
        s00 = subgroupMatrixMultiplyAccumulate(high0, w0, s00);
        s01 = subgroupMatrixMultiplyAccumulate(high0, w1, s01);
        s02 = subgroupMatrixMultiplyAccumulate(high0, w2, s02);
        s03 = subgroupMatrixMultiplyAccumulate(high0, w3, s03);
        let high1 = subgroupMatrixLoad<Inputs, row_major>(&tile_blocks[at + 2u], 0u, PITCH);
        s10 = subgroupMatrixMultiplyAccumulate(high1, w0, s10);
        s11 = subgroupMatrixMultiplyAccumulate(high1, w1, s11);
        s12 = subgroupMatrixMultiplyAccumulate(high1, w2, s12);
        s13 = subgroupMatrixMultiplyAccumulate(high1, w3, s13);
        if (WEIGHT_HALVES == 2u) {
          let rests_at = RESTS + first_column / 8u + k;
          let r0 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[rests_at], 0u, PITCH);
          s00 = subgroupMatrixMultiplyAccumulate(high0, r0, s00);
          s10 = subgroupMatrixMultiplyAccumulate(high1, r0, s10);
          let r1 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[rests_at + 2u], 0u, PITCH);
          s01 = subgroupMatrixMultiplyAccumulate(high0, r1, s01);
          s11 = subgroupMatrixMultiplyAccumulate(high1, r1, s11);
          let r2 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[rests_at + 4u], 0u, PITCH);
          s02 = subgroupMatrixMultiplyAccumulate(high0, r2, s02);
          s12 = subgroupMatrixMultiplyAccumulate(high1, r2, s12);
          let r3 = subgroupMatrixLoad<Weights, col_major>(&tile_blocks[rests_at + 6u], 0u, PITCH);
          s03 = subgroupMatrixMultiplyAccumulate(high0, r3, s03);
          s13 = subgroupMatrixMultiplyAccumulate(high1, r3, s13);
        }
      }
    }
  }
  let first = first_row + first_column;
  hand_on(s00, thread, tile, first_token, first);
  hand_on(s01, thread, tile, first_token, first + 16u);
  hand_on(s02, thread, tile, first_token, first + 32u);
  hand_on(s03, thread, tile, first_token, first + 48u);
  hand_on(s10, thread, tile, first_token + 16u, first);
  hand_on(s11, thread, tile, first_token + 16u, first + 16u);
  hand_on(s12, thread, tile, first_token + 16u, first + 32u);
  hand_on(s13, thread, tile, first_token + 16u, first + 48u);
}

// Hands 16 x 16 sums of the subgroup to tile_write, by way of workgroup memory.
fn hand_on(sums: Sums, thread: u32, tile: vec4<u32>, first_token: u32, first_row: u32) {
  let subgroup = thread / SUBGROUP;
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tile_sums[subgroup], 0u, sums, SUMS_PITCH);
  workgroupBarrier();
  for (var i = thread % SUBGROUP; i < 128u; i += SUBGROUP) {
    let m = i / 8u;
    let pair = i % 8u;
    if (first_token + m < tile.z) {
      let four = tile_sums[subgroup][m * SUMS_PITCH + pair / 2u];
      tile_write(tile, first_token + m, first_row + 2u * pair, select(four.xy, four.zw, pair % 2u == 1u) / SHRINK);
    }
  }
}
