import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource } from "../gpu/kernel.ts";
import type { PipelineCache } from "../gpu/pipelines.ts";

// What lib/tile-matrix.wgsl asks of subgroup matrices, by f32 arithmetic: a factor is the number of its block in workgroup
// memory, and each of 32 invocations keeps half a row of a matrix's sums.
const emulation = `
alias Inputs = u32;
alias Weights = u32;
alias Sums = array<f32, 8>;

// Half of a row of inputs, or of a column of weights, by a half of the other.
fn emulated_dot(a: vec4<u32>, b: vec4<u32>) -> f32 {
  return dot(unpack2x16float(a.x), unpack2x16float(b.x)) + dot(unpack2x16float(a.y), unpack2x16float(b.y))
    + dot(unpack2x16float(a.z), unpack2x16float(b.z)) + dot(unpack2x16float(a.w), unpack2x16float(b.w));
}

fn emulated_multiply_accumulate(inputs_block: u32, weights_block: u32, sums: Sums, lane: u32) -> Sums {
  var result = sums;
  let m = lane / 2u;
  for (var i = 0u; i < 8u; i++) {
    let n = lane % 2u * 8u + i;
    for (var half = 0u; half < 2u; half++) {
      result[i] += emulated_dot(tile_blocks[inputs_block][m * PITCH + half], tile_blocks[weights_block][n * PITCH + half]);
    }
  }
  return result;
}

fn emulated_store(subgroup: u32, sums: Sums, lane: u32) {
  let at = lane / 2u * SUMS_PITCH + lane % 2u * 2u;
  tile_sums[subgroup][at] = vec4<f32>(sums[0], sums[1], sums[2], sums[3]);
  tile_sums[subgroup][at + 1u] = vec4<f32>(sums[4], sums[5], sums[6], sums[7]);
}
`;

const replacements: readonly (readonly [pattern: RegExp, text: string])[] = [
  // Products of f16, which lib/expert-mxfp4-halves.wgsl makes exactly.
  [/bitcast<u32>\((bitcast<vec2<f16>>\([^()]+\) \* \w+)\)/g, "pack2x16float($1)"],
  [/bitcast<vec2<f16>>\(/g, "unpack2x16float("],
  [/vec2<f16>\(/g, "vec2<f32>("],
  [/^enable (f16|chromium_experimental_subgroup_matrix);$/gm, ""],
  [/^diagnostic\(off, chromium\.subgroup_matrix_uniformity\);$/gm, ""],
  [/^alias (Inputs|Weights) = .*$/gm, ""],
  [/^alias Sums = .*$/gm, emulation],
  [/subgroupMatrixLoad<Inputs, row_major>\(&tile_blocks\[([^\]]+)\], 0u, PITCH\)/g, "($1)"],
  [/subgroupMatrixLoad<Weights, col_major>\(&tile_blocks\[([^\]]+)\], 0u, PITCH\)/g, "($1)"],
  [/subgroupMatrixMultiplyAccumulate\(([^()]+)\)/g, "emulated_multiply_accumulate($1, thread % SUBGROUP)"],
  [
    /subgroupMatrixStore<row_major>\(&tile_sums\[subgroup\], 0u, sums, SUMS_PITCH\)/g,
    "emulated_store(subgroup, sums, thread % SUBGROUP)",
  ],
];

/**
 * A tile kernel on subgroup matrices as a kernel for any device, so that everything but the products themselves is tested
 * where there are none. Products of f16 are exact in f32, and so are their sums but for the rounding of f32.
 */
function withEmulatedMatrices<Name extends string>(source: KernelSource<Name>): KernelSource<Name> {
  const code = replacements.reduce((text, [pattern, by]) => text.replace(pattern, by), source.code);
  if (/subgroupMatrix|subgroup_matrix|\bf16\b/.test(code.replace(/\/\/.*$/gm, "")))
    throw new Error(`${source.id} uses subgroup matrices in a way that is not emulated.`);
  return { ...source, code };
}

/**
 * The GPU with its subgroup matrices, or with emulated ones where it has none. `change` alters their kernels on the way to
 * the compiler.
 */
export function withMatrices(gpu: Gpu, change?: (source: KernelSource) => KernelSource): Gpu {
  const { pipelines, hasMatrices } = gpu;
  const compile: PipelineCache["compile"] = async (source) => {
    if (!source.code.includes("subgroupMatrix")) return pipelines.compile(source);
    const changed = change === undefined ? source : { ...source, code: change(source).code };
    return pipelines.compile(hasMatrices ? changed : withEmulatedMatrices(changed));
  };
  return { ...gpu, hasMatrices: true, pipelines: { ...pipelines, compile } };
}
