/** One kind of matrix that an adapter multiplies, as `GPUAdapterInfo.subgroupMatrixConfigs` lists it (experimental). */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

const neededFeatures = ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];

/**
 * Whether a device has the subgroup matrices that lib/tile-matrix.wgsl needs: f16 factors of 16 x 16 with f32 sums,
 * in subgroups of exactly 32.
 */
export function hasTileMatrices(features: ReadonlySet<string>, info: GPUAdapterInfo): boolean {
  const { subgroupMinSize, subgroupMaxSize } = info;
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const isNeeded = ({ componentType, resultComponentType, M, N, K }: SubgroupMatrixConfig) =>
    componentType === "f16" && resultComponentType === "f32" && M === 16 && N === 16 && K === 16;
  return (
    neededFeatures.every((feature) => features.has(feature)) &&
    subgroupMinSize === 32 &&
    subgroupMaxSize === 32 &&
    [...subgroupMatrixConfigs].some(isNeeded)
  );
}
