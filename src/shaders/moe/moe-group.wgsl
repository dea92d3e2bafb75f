// moe-group: orders the entries (token * A + slot) of a prompt by expert, and cuts each expert's into tiles of TILE_M
//   ids     : [T, A] u32
//   entries : [T * A] u32, by expert, then by token
//   offsets : [E + 1] u32, where each expert's entries start
//   tiles   : [tile_limit] (expert, first place in entries, number of entries 1..TILE_M, 0); unused ones are zero
//   grid    : (1, 1, 1), one workgroup of 256    needs E <= 256
// Counts come from workgroup atomics. The places come from one bit set a chunk of 256 entries and expert, so that the
// order does not depend on timing: an entry's place is the number of entries of its expert before it.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> entries: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(4) var<storage, read_write> tiles: array<vec4<u32>>;

const WG_SIZE: u32 = 256u;
const WORDS: u32 = WG_SIZE / 32u;

var<workgroup> counts: array<atomic<u32>, WG_SIZE>;
var<workgroup> scan: array<vec2<u32>, WG_SIZE>;
var<workgroup> next_place: array<u32, WG_SIZE>;
var<workgroup> members: array<array<atomic<u32>, WORDS>, E>;

@compute @workgroup_size(WG_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  if (step.stopped != 0u) {
    return;
  }
  let num_entries = step.num_tokens * A;
  for (var i = lane; i < num_entries; i += WG_SIZE) {
    atomicAdd(&counts[min(ids[i], E - 1u)], 1u);
  }
  workgroupBarrier();
  // Lane e stands for expert e; lanes beyond E hold no entries.
  let count = atomicLoad(&counts[lane]);
  let ends = scan_ends(lane, vec2<u32>(count, (count + TILE_M - 1u) / TILE_M));
  next_place[lane] = ends.x - count;
  if (lane < E) {
    offsets[lane + 1u] = ends.x;
  }
  if (lane == 0u) {
    offsets[0] = 0u;
  }
  write_tiles(lane, num_entries);
  scatter(lane, num_entries);
}

// Inclusive sums over the lanes, left in `scan` too.
fn scan_ends(lane: u32, value: vec2<u32>) -> vec2<u32> {
  scan[lane] = value;
  workgroupBarrier();
  for (var distance = 1u; distance < WG_SIZE; distance *= 2u) {
    var sum = scan[lane];
    if (lane >= distance) {
      sum += scan[lane - distance];
    }
    workgroupBarrier();
    scan[lane] = sum;
    workgroupBarrier();
  }
  return scan[lane];
}

// Tile i belongs to the first expert whose tiles end beyond i.
fn write_tiles(lane: u32, num_entries: u32) {
  let num_tiles = scan[E - 1u].y;
  let most_used = min(E, num_entries);
  let tile_limit = most_used + (num_entries - most_used) / TILE_M;
  for (var i = lane; i < tile_limit; i += WG_SIZE) {
    var tile = vec4<u32>();
    if (i < num_tiles) {
      var low = 0u;
      var high = E - 1u;
      while (low < high) {
        let middle = (low + high) / 2u;
        if (scan[middle].y > i) {
          high = middle;
        } else {
          low = middle + 1u;
        }
      }
      let count = atomicLoad(&counts[low]);
      let tiles_before = scan[low].y - (count + TILE_M - 1u) / TILE_M;
      let done = (i - tiles_before) * TILE_M;
      tile = vec4<u32>(low, scan[low].x - count + done, min(count - done, TILE_M), 0u);
    }
    tiles[i] = tile;
  }
}

fn scatter(lane: u32, num_entries: u32) {
  for (var chunk = 0u; chunk < num_entries; chunk += WG_SIZE) {
    if (lane < E) {
      for (var w = 0u; w < WORDS; w++) {
        atomicStore(&members[lane][w], 0u);
      }
    }
    workgroupBarrier();
    let entry = chunk + lane;
    var expert = 0u;
    if (entry < num_entries) {
      expert = min(ids[entry], E - 1u);
      atomicOr(&members[expert][lane / 32u], 1u << (lane % 32u));
    }
    workgroupBarrier();
    if (entry < num_entries) {
      var place = next_place[expert];
      for (var w = 0u; w < lane / 32u; w++) {
        place += countOneBits(atomicLoad(&members[expert][w]));
      }
      let before = (1u << (lane % 32u)) - 1u;
      place += countOneBits(atomicLoad(&members[expert][lane / 32u]) & before);
      entries[place] = entry;
    }
    workgroupBarrier();
    if (lane < E) {
      var sum = 0u;
      for (var w = 0u; w < WORDS; w++) {
        sum += countOneBits(atomicLoad(&members[lane][w]));
      }
      next_place[lane] += sum;
    }
  }
}
