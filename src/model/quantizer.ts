import { createBufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { composeKernel } from "../gpu/kernel.ts";
import { bind } from "../gpu/pipelines.ts";
import { encodeSteps, submit } from "../gpu/steps.ts";
import {
  type Int8Piece,
  int8PieceBytes,
  packInt8Piece,
  quantizeInt8,
  quantizeInt8Grid,
} from "../kernels/linear/quantize-int8.ts";

/** A piece of an int8 matrix. */
export interface Int8Target extends Int8Piece {
  /** Of the matrix. */
  readonly buffer: GPUBuffer;
}

/** Turns bf16 weights into int8 on the GPU, piece by piece, so that the bf16 form of a whole matrix is never there. */
export interface Quantizer {
  /** Where a piece is to be written before `run`, as bf16. The queue runs in order, so no piece waits for another. */
  readonly weights: GPUBuffer;
  /** Queues the piece that was queued for `weights`. */
  run(target: Int8Target): void;
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
      run({ buffer: matrix, ...target }) {
        gpu.device.queue.writeBuffer(piece, 0, packInt8Piece(target));
        const bindGroup = bind(gpu, pipeline, { piece, weights, matrix });
        const step = { pipeline, bindGroup, grid: () => quantizeInt8Grid(target.numGroups) };
        submit(gpu, "quantise", (encoder) => encodeSteps(encoder, [step], undefined, "quantise"));
      },
      destroy: () => buffers.destroy(),
    };
  } catch (error) {
    buffers.destroy();
    throw error;
  }
}
