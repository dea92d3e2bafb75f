import { defaultTuning, type KernelTuning, matrixTuning } from "../kernels/tuning.ts";
import { testGpu } from "./gpu-device.ts";

/** The ways to make tiles that the tests' device can run, for `describe.each`. */
export async function tileTunings(): Promise<{ products: string; tuning: KernelTuning }[]> {
  const { hasMatrices } = await testGpu();
  return [defaultTuning, ...(hasMatrices ? [matrixTuning] : [])].map((tuning) => ({
    products: tuning.moeTile.products,
    tuning,
  }));
}
