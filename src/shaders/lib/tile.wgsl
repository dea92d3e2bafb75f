// Products of a tile of TILE_M tokens with a tile of TILE_N weight rows, by f32 arithmetic.
// Needs: TILE_THREADS (64 or 128), TILE_M (a multiple of TILE_THREADS / 8), TILE_N = 64, K, the contraction width (a
// multiple of 8); binding `inputs: array<vec4<f32>>` [any, K]; from a weights library
//   const TILE_COLUMNS, the weights of a row: K, or more where rows are padded with zeros
//   fn tile_column(column: u32) -> u32      which vec4 of a row is number `column` in the order of the steps
//   struct RawWeights, PARTS times eight weights as stored
//   fn raw_weights(row: u32, block: u32, first: u32) -> RawWeights     weights 32 block + 8 first .. in that order, loaded
//   fn expand_weights(raw: RawWeights, part: u32) -> array<vec4<f32>, 2>    weights 8 part .. 8 part + 7 of them
// and, from the kernel,
//   fn tile_input_row(tile: vec4<u32>, m: u32) -> u32            the row of `inputs` of token m of the tile
//   fn tile_weight_row(tile: vec4<u32>, row: u32) -> u32         the stored row of row `row`, also of one beyond the last
//   fn tile_write(tile: vec4<u32>, m: u32, row: u32, sums: vec2<f32>)    takes the sums of token m with rows row, row + 1
// where tile.z is how many tokens the tile has. Each step expands 32 inputs of every token and 32 weights of every row
// into workgroup memory, once for all; invocation (tx, ty) keeps f32 sums, in order of k, of tokens ty + TILE_Y i with
// rows 2 tx + 16 j and the next. Rounds i without tokens are left out. The next step's inputs and weights are loaded,
// still packed, before this step's products, so that they arrive meanwhile.
// A row's eight vec4s are exchanged by exclusive-or, so that rows that are used at once lie in different banks.
const TILE_Y: u32 = TILE_THREADS / 8u;
const TOKENS_PER_THREAD: u32 = TILE_M / TILE_Y;
const PARTS: u32 = 4u * TILE_N / TILE_THREADS; // eights of a row's 32 weights that an invocation expands
const NUM_BLOCKS: u32 = (TILE_COLUMNS + 31u) / 32u;
var<workgroup> tile_inputs: array<vec4<f32>, TILE_M * 8u>;
var<workgroup> tile_weights: array<vec4<f32>, TILE_N * 8u>;

// Sums of token i with rows 2 tx + 16 j: element 2 i; with the rows after these: element 2 i + 1.
alias TileSums = array<vec4<f32>, 2u * TOKENS_PER_THREAD>;

fn input_slot(row: u32, column: u32) -> u32 {
  return row * 8u + (column ^ (row & 7u));
}

fn weight_slot(row: u32, column: u32) -> u32 {
  return row * 8u + (column ^ ((row / 2u) & 7u) ^ ((row & 1u) * 4u));
}

// Four inputs of a row, by their place in the order of the steps; none beyond K.
fn tile_input(row: u32, place: u32) -> vec4<f32> {
  let column = tile_column(place);
  if (K != 32u * NUM_BLOCKS && column >= K / 4u) {
    return vec4<f32>();
  }
  return inputs[row + column];
}

// Multiplies the tile with the rows from `first_row` on, and hands the sums to tile_write.
fn tile_products(thread: u32, tile: vec4<u32>, first_row: u32) {
  let tx = thread % 8u;
  let ty = thread / 8u;
  let column = thread % TILE_N;
  let first_part = PARTS * (thread / TILE_N);
  let weight_row = tile_weight_row(tile, first_row + column);
  let rounds = min((tile.z + TILE_Y - 1u) / TILE_Y, TOKENS_PER_THREAD);
  var weights = raw_weights(weight_row, 0u, first_part);
  var input_rows: array<u32, TOKENS_PER_THREAD>;
  var taken: array<vec4<f32>, TOKENS_PER_THREAD>;
  for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
    input_rows[i] = tile_input_row(tile, min(ty + TILE_Y * i, tile.z - 1u)) * (K / 4u);
    taken[i] = tile_input(input_rows[i], tx);
  }
  var sums = TileSums();
  for (var block = 0u; block < NUM_BLOCKS; block++) {
    workgroupBarrier(); // the step before may still be read
    for (var part = 0u; part < PARTS; part++) {
      let eight = expand_weights(weights, part);
      tile_weights[weight_slot(column, 2u * (first_part + part))] = eight[0];
      tile_weights[weight_slot(column, 2u * (first_part + part) + 1u)] = eight[1];
    }
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      tile_inputs[input_slot(ty + TILE_Y * i, tx)] = taken[i];
    }
    workgroupBarrier();
    let next = min(block + 1u, NUM_BLOCKS - 1u);
    weights = raw_weights(weight_row, next, first_part);
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      taken[i] = tile_input(input_rows[i], next * 8u + tx);
    }
    if (rounds == TOKENS_PER_THREAD) {
      add_products(&sums, tx, ty, TOKENS_PER_THREAD); // a constant: nothing to branch on
    } else {
      add_products(&sums, tx, ty, rounds);
    }
  }
  for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
    let m = ty + TILE_Y * i;
    if (m < tile.z) {
      for (var j = 0u; j < 4u; j++) {
        tile_write(tile, m, first_row + 2u * tx + 16u * j, vec2<f32>(sums[2u * i][j], sums[2u * i + 1u][j]));
      }
    }
  }
}

// Adds the products of one step, for the first `rounds` of the invocation's tokens.
fn add_products(sums: ptr<function, TileSums>, tx: u32, ty: u32, rounds: u32) {
  for (var k = 0u; k < 8u; k++) {
    let w0 = tile_weights[weight_slot(2u * tx, k)];
    let w1 = tile_weights[weight_slot(2u * tx + 16u, k)];
    let w2 = tile_weights[weight_slot(2u * tx + 32u, k)];
    let w3 = tile_weights[weight_slot(2u * tx + 48u, k)];
    let w4 = tile_weights[weight_slot(2u * tx + 1u, k)];
    let w5 = tile_weights[weight_slot(2u * tx + 17u, k)];
    let w6 = tile_weights[weight_slot(2u * tx + 33u, k)];
    let w7 = tile_weights[weight_slot(2u * tx + 49u, k)];
    for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
      if (i < rounds) {
        let v = tile_inputs[input_slot(ty + TILE_Y * i, k)];
        (*sums)[2u * i] += vec4<f32>(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
        (*sums)[2u * i + 1u] += vec4<f32>(dot(v, w4), dot(v, w5), dot(v, w6), dot(v, w7));
      }
    }
  }
}
