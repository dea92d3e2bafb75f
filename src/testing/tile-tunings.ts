import { defaultTuning, type KernelTuning, matrixTuning } from "../kernels/tuning.ts";
import { testGpu } from "./gpu-device.ts";

/** Fits the 32 KiB of workgroup memory of SwiftShader. */
const smallMatrixTuning: KernelTuning = {
  ...matrixTuning,
  moeTile: { ...matrixTuning.moeTile, tileRows: 128, tileThreads: 128 },
};

/** The ways to make tiles, for `describe.each`. Where the tests' device has no subgroup matrices they are emulated. */
export async function tileTunings(): Promise<{ products: string; tuning: KernelTuning }[]> {
  const { hasMatrices } = await testGpu();
  return [
    { products: "f32", tuning: defaultTuning },
    hasMatrices
      ? { products: "matrix", tuning: matrixTuning }
      : { products: "emulated matrix", tuning: smallMatrixTuning },
  ];
}
