import { createBufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { composeKernel } from "../gpu/kernel.ts";
import { bind } from "../gpu/pipelines.ts";
import { encodeSteps, submit } from "../gpu/steps.ts";
import { int8BlockSize } from "../kernels/linear/dense.ts";
import {
  int8PieceBytes,
  packInt8Piece,
  quantizeInt8,
  quantizeInt8Grid,
} from "../kernels/linear/quantize-int8.ts";

/** Where a piece of an int8 matrix goes; see `int8Layout`. */
export interface Int8Target {
  readonly buffer: GPUBuffer;
  /** Of the piece's first weight: a multiple of 64 (two blocks). */
  readonly codesAtBytes: number;
  /** Of the matrix. */
  readonly scalesAtBytes: number;
}

/** Turns bf16 weights into int8 on the GPU, piece by piece, so that the bf16 form of a whole matrix is never there. */
export interface Quantizer {
  /** Where a piece is to be written before `run`: whole blocks of bf16. The queue runs in order, so no piece waits for another. */
  readonly weights: GPUBuffer;
  /** Queues the piece of `sizeBytes` that was queued for `weights`. */
  run(target: Int8Target, sizeBytes: number): void;
  destroy(): void;
}

/** Takes GPU memory for one piece of at most `pieceBytes`. @throws out-of-memory | shader-compile */
export async function createQuantizer(gpu: Gpu, pieceBytes: number): Promise<Quantizer> {
  const buffers = createBufferSet(gpu);
  try {
    const weights = buffers.storage("bf16 weights to quantise", pieceBytes);
    const piece = buffers.uniform("int8 piece", int8PieceBytes);
    const pipeline = await gpu.pipelines.compile(composeKernel(quantizeInt8, {}, { variant: "workgroup" }));
    await buffers.settled();
    return {
      weights,
      run({ buffer: matrix, codesAtBytes, scalesAtBytes }, sizeBytes) {
        const numBlocks = sizeBytes / (2 * int8BlockSize);
        const firstBlock = codesAtBytes / int8BlockSize;
        gpu.device.queue.writeBuffer(piece, 0, packInt8Piece({ firstBlock, numBlocks, scalesAtBytes }));
        const bindGroup = bind(gpu, pipeline, { piece, weights, matrix });
        const step = { pipeline, bindGroup, grid: () => quantizeInt8Grid(numBlocks) };
        submit(gpu, "quantise", (encoder) => encodeSteps(encoder, [step], undefined, "quantise"));
      },
      destroy: () => buffers.destroy(),
    };
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}
