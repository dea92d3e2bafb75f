import { createBufferSet, readBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { composeKernel, type Mxfp4Form } from "../gpu/kernel.ts";
import { bind } from "../gpu/pipelines.ts";
import { encodeSteps, submit } from "../gpu/steps.ts";
import { mxfp4Decode, mxfp4DecodeGrid } from "../kernels/moe/mxfp4-decode.ts";

/** Values of the codes 0 to 15. */
const codeValues = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/**
 * The faster way to expand MXFP4 that is right on this adapter: all 16 codes in both halves of a word are expanded
 * through f16 and compared. A CPU adapter takes the plain way unasked.
 */
export async function chooseMxfp4(gpu: Gpu): Promise<Mxfp4Form> {
  if (gpu.adapter.isSoftware) return "bits";
  return (await halfFormIsExact(gpu)) ? "half" : "bits";
}

/** Whether the form through f16 gives every code exactly here. @throws out-of-memory | device-lost */
export async function halfFormIsExact(gpu: Gpu): Promise<boolean> {
  const shape = { numBlocks: 1 };
  const pipeline = await gpu.pipelines.compile(
    composeKernel(mxfp4Decode, shape, { variant: "workgroup", mxfp4: "half" }),
  );
  const buffers = createBufferSet(gpu);
  try {
    const blocks = buffers.storage("mxfp4 test codes", 16);
    const scales = buffers.storage("mxfp4 test scales", 4);
    const values = buffers.storage("mxfp4 test values", 128);
    await buffers.settled();
    // Codes 0 to 15 in order, then 8 to 15 and 0 to 7: each code stands in the low and in the high half of a word.
    const codes = Array.from({ length: 32 }, (_, i) => (i < 16 ? i : (i + 8) % 16));
    const bytes = Uint8Array.from(
      { length: 16 },
      (_, i) => (codes[2 * i] ?? 0) | ((codes[2 * i + 1] ?? 0) << 4),
    );
    gpu.device.queue.writeBuffer(blocks, 0, bytes);
    gpu.device.queue.writeBuffer(scales, 0, Uint8Array.of(127, 0, 0, 0));
    const bindGroup = bind(gpu, pipeline, { blocks, scales, values });
    const step = { pipeline, bindGroup, grid: () => mxfp4DecodeGrid(1) };
    submit(gpu, "mxfp4 test", (encoder) => encodeSteps(encoder, [step], undefined, "mxfp4 test"));
    const got = new Float32Array(await readBuffer(gpu, values));
    return codes.every((code, i) => got[i] === codeValues[code]);
  } finally {
    buffers.destroy();
  }
}
