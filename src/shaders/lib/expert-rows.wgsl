// Products of ROWS neighbouring rows of an expert with a block of inputs that a lane holds, and their sums over a workgroup
// of WG_SIZE (after lib/expert-mxfp4-*.wgsl or lib/expert-bf16.wgsl). The inputs stay in registers while the rows pass by,
// CHUNK at a time with the next CHUNK under way. A lane's sums wait in workgroup memory: no array is indexed at run time,
// and the sums need no subgroups. Any WG_SIZE and ROWS whose sums fit (moe-shape.ts); even ROWS, or 1.
const CHUNK: u32 = min(ROWS, 2u);
const NUM_CHUNKS: u32 = ROWS / CHUNK;
// Lanes that add up a row in the end, and how far rows stand apart, so that lanes of different rows meet different banks.
const TEAM: u32 = max(1u, WG_SIZE / ROWS);
const ROW_STRIDE: u32 = WG_SIZE + TEAM;

var<workgroup> lane_sums: array<f32, ROWS * ROW_STRIDE>;
var<workgroup> team_sums: array<f32, ROWS * TEAM>;

// Adds the products of one block of ROWS rows from `first_row`, times `factor`, to a lane's sums; the first time begins them.
fn add_rows(first_row: u32, block: u32, inputs: ptr<function, ExpertInputs>, factor: f32, lane: u32, is_first: bool) {
  var next: array<ExpertBlock, CHUNK>;
  for (var r = 0u; r < CHUNK; r++) {
    next[r] = expert_block(first_row + r, block);
  }
  for (var chunk = 0u; chunk < NUM_CHUNKS; chunk++) {
    let current = next;
    let ahead = first_row + min(chunk + 1u, NUM_CHUNKS - 1u) * CHUNK; // the last chunk reads itself again
    for (var r = 0u; r < CHUNK; r++) {
      next[r] = expert_block(ahead + r, block);
    }
    for (var r = 0u; r < CHUNK; r++) {
      let at = (chunk * CHUNK + r) * ROW_STRIDE + lane;
      let product = factor * expert_dot(current[r], inputs);
      if (is_first) {
        lane_sums[at] = product;
      } else {
        lane_sums[at] += product;
      }
    }
  }
}

// Adds the lanes' sums up, for row_sum. To be called in uniform control flow.
fn finish_rows(lane: u32) {
  workgroupBarrier();
  for (var i = lane; i < ROWS * TEAM; i += WG_SIZE) {
    var sum = 0.0;
    for (var other = i % TEAM; other < WG_SIZE; other += TEAM) {
      sum += lane_sums[i / TEAM * ROW_STRIDE + other];
    }
    team_sums[i] = sum;
  }
  workgroupBarrier();
}

fn row_sum(row: u32) -> f32 {
  var sum = 0.0;
  for (var member = 0u; member < TEAM; member++) {
    sum += team_sums[row * TEAM + member];
  }
  return sum;
}
