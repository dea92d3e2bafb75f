// Products of a tile of tokens with a tile of one expert's rows, for a workgroup of 256 (16 x 16) invocations.
// Needs: TILE_M tokens (a multiple of 32) and TILE_N = 64 rows a tile, KB; binding `inputs: array<vec4<f32>>`
// [any, 32 KB]; expert_weights_8 of the expert library; and, from the kernel,
//   fn tile_input_row(tile: vec4<u32>, m: u32) -> u32    the row of `inputs` of token m of the tile
//   fn tile_weight_row(tile: vec4<u32>, first_row: u32, n: u32) -> u32
//                                                        the row, over all experts, of column n of the tile
// `tile` is as moe-group writes it: expert, first place in entries, number of entries.
// Each step expands 32 inputs of every token and 32 weights of every row into workgroup memory, once for all 256; an
// invocation (tx, ty) keeps f32 sums of tokens ty + 16 i with columns tx, tx + 16, tx + 32, tx + 48.
const TILE_N: u32 = 64u;
const TOKENS_PER_THREAD: u32 = TILE_M / 16u;
const LOADS_PER_THREAD: u32 = TILE_M / 32u;
// Eight vec4 a row and one unused, so that neighbouring rows start in different banks.
const TILE_STRIDE: u32 = 9u;
var<workgroup> tile_inputs: array<vec4<f32>, TILE_M * TILE_STRIDE>;
var<workgroup> tile_weights: array<vec4<f32>, TILE_N * TILE_STRIDE>;

fn tile_products(thread: u32, tile: vec4<u32>, first_row: u32) -> array<vec4<f32>, TOKENS_PER_THREAD> {
  let column = thread / 4u;
  let part = thread % 4u;
  let weight_row = tile_weight_row(tile, first_row, column);
  var input_rows: array<u32, LOADS_PER_THREAD>;
  for (var i = 0u; i < LOADS_PER_THREAD; i++) {
    input_rows[i] = tile_input_row(tile, thread / 8u + 32u * i) * (KB * 8u) + thread % 8u;
  }
  let tx = thread % 16u;
  let ty = thread / 16u;
  var sums = array<vec4<f32>, TOKENS_PER_THREAD>();
  for (var block = 0u; block < KB; block++) {
    let weights = expert_weights_8(weight_row, block, part);
    workgroupBarrier(); // the step before may still be read
    tile_weights[column * TILE_STRIDE + part * 2u] = weights[0];
    tile_weights[column * TILE_STRIDE + part * 2u + 1u] = weights[1];
    for (var i = 0u; i < LOADS_PER_THREAD; i++) {
      tile_inputs[(thread / 8u + 32u * i) * TILE_STRIDE + thread % 8u] = inputs[input_rows[i] + block * 8u];
    }
    workgroupBarrier();
    for (var k = 0u; k < 8u; k++) {
      let w0 = tile_weights[tx * TILE_STRIDE + k];
      let w1 = tile_weights[(tx + 16u) * TILE_STRIDE + k];
      let w2 = tile_weights[(tx + 32u) * TILE_STRIDE + k];
      let w3 = tile_weights[(tx + 48u) * TILE_STRIDE + k];
      for (var i = 0u; i < TOKENS_PER_THREAD; i++) {
        let v = tile_inputs[(ty + 16u * i) * TILE_STRIDE + k];
        sums[i] += vec4<f32>(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
      }
    }
  }
  return sums;
}
