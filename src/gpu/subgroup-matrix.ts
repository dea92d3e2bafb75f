/** Square subgroup matrices: f16 factors, f32 sums, of `size` x `size`, in subgroups of exactly `subgroupSize`. */
export interface SubgroupMatrix {
  readonly size: number;
  readonly subgroupSize: number;
}

/** One kind of matrix that an adapter multiplies, as `GPUAdapterInfo.subgroupMatrixConfigs` lists it (experimental). */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The largest matrices for the tile kernels that a device has; undefined where it has none. */
export function chooseMatrix(features: ReadonlySet<string>, info: GPUAdapterInfo): SubgroupMatrix | undefined {
  const needed = ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];
  if (!needed.every((feature) => features.has(feature))) return undefined;
  const { subgroupMinSize, subgroupMaxSize } = info;
  if (subgroupMinSize !== subgroupMaxSize) return undefined;
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: readonly SubgroupMatrixConfig[] };
  const sizes = subgroupMatrixConfigs
    .filter(({ componentType, resultComponentType, M, N, K }) => {
      const isSquare = M === N && N === K && (M === 8 || M === 16);
      return isSquare && componentType === "f16" && resultComponentType === "f32";
    })
    .map(({ M }) => M);
  return sizes.length === 0 ? undefined : { size: Math.max(...sizes), subgroupSize: subgroupMinSize };
}
