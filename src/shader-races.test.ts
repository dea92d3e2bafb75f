// Invocations that write to one vector of workgroup or storage memory would race, even where each has a component to itself.
import { describe, expect, it } from "vitest";
import { componentWrites } from "./testing/component-writes.ts";
import { sourceFiles } from "./testing/source-tree.ts";

const shaders = sourceFiles("src/shaders", ".wgsl");
const emulation = sourceFiles("src/testing", "emulated-matrices.ts");

it("writes only whole vectors to workgroup and storage memory", () => {
  expect(emulation).toHaveLength(1);
  expect(componentWrites([...shaders, ...emulation])).toEqual([]);
});

describe("the search for such writes", () => {
  const declarations = `
    alias Packed = vec2<u32>;
    struct Pair { first: vec4<f32>, second: array<f32, 2u>, }
    @group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
    @group(0) @binding(1) var<storage, read_write> cache: array<Packed>;
    @group(0) @binding(2) var<storage, read_write> one: vec4<u32>;
    var<workgroup> tile: array<array<vec4<f32>, max(4u, N)>, 2u>;
    var<workgroup> pairs: array<Pair, 8u>;
    var<workgroup> sums: array<array<f32, 4u>, 8u>;
    var<workgroup> turn: array<mat4x4<f32>, 2u>;`;
  const found = (statement: string, ownDeclarations = "") =>
    componentWrites([
      { path: "lib.wgsl", text: `${ownDeclarations} fn f(i: u32) { ${statement} }` },
      { path: "kernel.wgsl", text: declarations },
    ]);

  it.each([
    ["out[i / 4u][i % 4u] = 1.0;", "out[i / 4u][i % 4u]"],
    ["out[i].x += 1.0;", "out[i].x"],
    ["cache[i].y = 3u;", "cache[i].y"],
    ["one.w++;", "one.w"],
    ["tile[0][i][1] = 1.0;", "tile[0][i][1]"],
    ["tile[lanes[i]][min(i, 3u)].z = 1.0;", "tile[lanes[i]][min(i, 3u)].z"],
    ["pairs[i].first.x = 1.0;", "pairs[i].first.x"],
    ["turn[0][1][i] = 1.0;", "turn[0][1][i]"],
  ])("finds %s", (statement, target) => {
    expect(found(statement)).toEqual([`lib.wgsl: ${target}`]);
  });

  it.each([
    "out[i] = vec4<f32>();",
    "if (out[i].x == 1.0) { return; }",
    "if (out[i].x <= 1.0) { return; }",
    "tile[0][i] += vec4<f32>(1.0);",
    "pairs[i].second[1] = 1.0;",
    "sums[i][1] = 1.0;",
    "turn[0][1] = vec4<f32>();",
    "var out: array<vec4<f32>, 2>; out[0].x = 1.0;",
  ])("accepts %s", (statement) => {
    expect(found(statement)).toEqual([]);
  });

  it("takes a name for the file's own variable where it has one", () => {
    expect(found("out[i].x = 1.0;", "var<private> out: array<vec4<f32>, 2>;")).toEqual([]);
  });

  it("refuses pointers to such memory, through which writes are not followed", () => {
    expect(found("", "fn g(p: ptr<workgroup, vec4<f32>>) { (*p).x = 1.0; }")).toEqual([
      "lib.wgsl: ptr<workgroup, vec4<f32>>",
    ]);
  });
});
