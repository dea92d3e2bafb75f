// Rows of vec4s that lanes read a block of 32 numbers each: vec4 i of every block stands beside that of the next block, so
// that one load of neighbouring lanes is one stretch of memory. Vec4 `v` of a row of 8 `num_blocks` stands at:
fn interleaved(v: u32, num_blocks: u32) -> u32 {
  return v % 8u * num_blocks + v / 8u;
}
