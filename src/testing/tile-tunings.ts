import { defaultTuning, type KernelTuning } from "../kernels/tuning.ts";
import { matrixTuningFor } from "../kernels/tuning-candidates.ts";
import { testGpu } from "./gpu-device.ts";

/** The ways to make tiles, for `describe.each`. Where the tests' device has no subgroup matrices they are emulated. */
export async function tileTunings(): Promise<{ products: string; tuning: KernelTuning }[]> {
  const { hasMatrices, device } = await testGpu();
  const matrixTuning = matrixTuningFor(device.limits);
  if (matrixTuning === undefined) throw new Error("No matrix tile fits the tests' device.");
  return [
    { products: "f32", tuning: defaultTuning },
    { products: hasMatrices ? "matrix" : "emulated matrix", tuning: matrixTuning },
  ];
}
