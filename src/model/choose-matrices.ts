import { isEngineError } from "../errors.ts";
import { createBufferSet, readBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { composeKernel } from "../gpu/kernel.ts";
import { bind } from "../gpu/pipelines.ts";
import { encodeSteps, submit } from "../gpu/steps.ts";
import { moeDownTile, moeDownTileGrid } from "../kernels/moe/moe-down-tile.ts";
import type { MoeShape } from "../kernels/moe/moe-shape.ts";
import { packStep } from "../kernels/step.ts";
import { matrixTuningFor } from "../kernels/tuning-candidates.ts";

/** The values of MXFP4's codes 0 to 15. */
const codeValues = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/** One expert of 64 x 64, 33 tokens: every code, scales of 2^-3 to 2^3, more tokens than one matrix. */
const shape = {
  hiddenSize: 64,
  expertWidth: 64,
  numExperts: 1,
  expertsPerToken: 1,
  expertFormat: "mxfp4",
  eps: 0,
  swigluLimit: 7,
} as const;
const numTokens = 33;

/**
 * Whether the tile kernels' subgroup matrices work on this GPU: they compile, f16 subnormals survive a product, and
 * invocations fill subgroups in order. Tried once on a small expert; they are experimental.
 * @throws device-lost
 */
export async function matricesAreExact(gpu: Gpu): Promise<boolean> {
  const tuning = matrixTuningFor(gpu.device.limits);
  if (tuning === undefined) return false;
  try {
    return await sumsAreExact(gpu, { ...shape, tuning });
  } catch (error) {
    if (isEngineError(error, "shader-compile") || isEngineError(error, "out-of-memory")) return false;
    throw error;
  }
}

async function sumsAreExact(gpu: Gpu, tuned: MoeShape): Promise<boolean> {
  const pipeline = await gpu.pipelines.compile(composeKernel(moeDownTile, tuned, { variant: gpu.variant }));
  const set = createBufferSet(gpu);
  try {
    const { queue } = gpu.device;
    const filled = (
      label: string,
      data: Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
    ) => {
      const buffer = set.storage(label, data.byteLength);
      return { buffer, write: () => queue.writeBuffer(buffer, 0, data) };
    };
    const { inputs, codes, scales } = testData();
    const step = set.uniform("matrix test step", packStep({ position: 0, numTokens }).byteLength);
    const parts = {
      inputs: filled("matrix test inputs", inputs),
      entries: filled(
        "matrix test entries",
        Uint32Array.from({ length: numTokens }, (_, i) => i),
      ),
      tiles: filled("matrix test tiles", Uint32Array.of(0, 0, numTokens, 0)),
      blocks: filled("matrix test codes", codes),
      scales: filled("matrix test scales", scales),
      bias: filled("matrix test bias", new Uint32Array(shape.hiddenSize / 2)),
      expertOut: filled("matrix test sums", new Float32Array(numTokens * shape.hiddenSize)),
    };
    await set.settled();
    queue.writeBuffer(step, 0, packStep({ position: 0, numTokens }));
    for (const { write } of Object.values(parts)) write();
    const buffers = Object.fromEntries(Object.entries(parts).map(([name, { buffer }]) => [name, buffer]));
    const bindGroup = bind(gpu, pipeline, { step, part: step, ...buffers } as Parameters<typeof bind>[2]);
    const run = { pipeline, bindGroup, grid: () => moeDownTileGrid(tuned, numTokens) };
    submit(gpu, "matrix test", (encoder) => encodeSteps(encoder, [run], undefined, "matrix test"));
    const got = new Float32Array(await readBuffer(gpu, parts.expertOut.buffer));
    return expectedSums(inputs, codes, scales).every(
      (sum, i) => Math.abs((got[i] ?? Number.NaN) - sum) < 1e-3,
    );
  } finally {
    set.destroy();
  }
}

/** Inputs within 1, with bits that one f16 does not hold; every code in every place of a word. */
function testData() {
  const { hiddenSize, expertWidth } = shape;
  const inputs = Float32Array.from({ length: numTokens * expertWidth }, (_, i) => Math.sin(1 + i * i * 0.7));
  const codes = Uint8Array.from(
    { length: (hiddenSize * expertWidth) / 2 },
    (_, i) => (i * 37 + (i >> 4) * 11) & 0xff,
  );
  const scales = Uint8Array.from({ length: (hiddenSize * expertWidth) / 32 }, (_, i) => 124 + (i % 7));
  return { inputs, codes, scales };
}

/** [T, H] sums in float64. */
function expectedSums(inputs: Float32Array, codes: Uint8Array, scales: Uint8Array): number[] {
  const { hiddenSize: H, expertWidth: F } = shape;
  return Array.from({ length: numTokens * H }, (_, at) => {
    const [token, row] = [Math.floor(at / H), at % H];
    let sum = 0;
    for (let k = 0; k < F; k += 1) {
      const byte = codes[(row * F + k) >> 1] ?? 0;
      const value = codeValues[k % 2 === 0 ? byte & 15 : byte >> 4] ?? 0;
      sum += (inputs[token * F + k] ?? 0) * value * 2 ** ((scales[(row * F + k) >> 5] ?? 0) - 127);
    }
    return sum;
  });
}
