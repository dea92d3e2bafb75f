import { throwIfAborted } from "../errors.ts";
import { flushWrites, roundUp4 } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";
import type { TensorPlacement } from "./weights.ts";

/** Most bytes read at once; reads run one piece ahead of the upload, so about three pieces are on the heap. */
const pieceBytes = 16 * 1024 * 1024;
/** Bytes handed to the queue before the GPU is waited for: bounds its staging memory. */
const bytesInFlight = 64 * 1024 * 1024;

interface Piece {
  readonly placement: TensorPlacement;
  /** Relative to the tensor's start. */
  readonly startBytes: number;
  readonly endBytes: number;
}

export interface UploadOptions {
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Streams tensors from a checkpoint into their buffers, in the order they lie in the files.
 * @throws aborted | device-lost, and what the checkpoint's `read` throws
 */
export async function uploadWeights(
  gpu: Gpu,
  files: CheckpointFiles,
  placements: readonly TensorPlacement[],
  options: UploadOptions = {},
): Promise<void> {
  const pieces = inFileOrder(placements).flatMap(piecesOf);
  const totalBytes = pieces.reduce((sum, piece) => sum + piece.endBytes - piece.startBytes, 0);
  const read = ({ placement: { tensor }, startBytes, endBytes }: Piece) =>
    files.read(tensor.file, tensor.startBytes + startBytes, tensor.startBytes + endBytes, options.signal);
  let loadedBytes = 0;
  let unsettledBytes = 0;
  let next = pieces[0] === undefined ? undefined : read(pieces[0]);
  for (const [i, piece] of pieces.entries()) {
    throwIfAborted(options.signal);
    const bytes = (await next) ?? new Uint8Array();
    const following = pieces[i + 1];
    next = following === undefined ? undefined : read(following);
    next?.catch(() => {}); // awaited in the next round; an abort in between must not be an unhandled rejection
    write(gpu, piece, bytes);
    loadedBytes += bytes.byteLength;
    unsettledBytes += bytes.byteLength;
    if (unsettledBytes >= bytesInFlight || following === undefined) {
      await flushWrites(gpu);
      unsettledBytes = 0;
    }
    options.onProgress?.({ phase: "load", loadedBytes, totalBytes, file: piece.placement.tensor.file });
  }
}

function inFileOrder(placements: readonly TensorPlacement[]): TensorPlacement[] {
  return [...placements].sort((a, b) =>
    a.tensor.file < b.tensor.file
      ? -1
      : a.tensor.file > b.tensor.file
        ? 1
        : a.tensor.startBytes - b.tensor.startBytes,
  );
}

/** Pieces of a tensor: multiples of 4 bytes but for the last; whole matrices where it is transposed. */
function piecesOf(placement: TensorPlacement): Piece[] {
  const { tensor, transpose } = placement;
  const sizeBytes = tensor.endBytes - tensor.startBytes;
  const step = transpose === undefined ? pieceBytes : transpose.rows * transpose.columns * 2;
  const pieces: Piece[] = [];
  for (let startBytes = 0; startBytes < sizeBytes; startBytes += step) {
    pieces.push({ placement, startBytes, endBytes: Math.min(sizeBytes, startBytes + step) });
  }
  return pieces;
}

function write(gpu: Gpu, { placement, startBytes }: Piece, bytes: Uint8Array): void {
  const { transpose } = placement;
  const ready = transpose === undefined ? bytes : transposeBf16(bytes, transpose.rows, transpose.columns);
  gpu.device.queue.writeBuffer(placement.buffer, placement.offsetBytes + startBytes, paddedTo4(ready));
}

/** `queue.writeBuffer` takes multiples of 4 bytes only; the buffers are rounded up alike. */
function paddedTo4(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength % 4 === 0) return bytes as Uint8Array<ArrayBuffer>;
  const padded = new Uint8Array(roundUp4(bytes.byteLength));
  padded.set(bytes);
  return padded;
}

/** A bf16 matrix [rows, columns] as [columns, rows]. */
export function transposeBf16(bytes: Uint8Array, rows: number, columns: number): Uint8Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const from = new Uint16Array(aligned.buffer, aligned.byteOffset, rows * columns);
  const to = new Uint16Array(rows * columns);
  const block = 32; // squares that stay in the cache
  for (let row0 = 0; row0 < rows; row0 += block) {
    for (let column0 = 0; column0 < columns; column0 += block) {
      const rowEnd = Math.min(rows, row0 + block);
      const columnEnd = Math.min(columns, column0 + block);
      for (let row = row0; row < rowEnd; row += 1) {
        for (let column = column0; column < columnEnd; column += 1)
          to[column * rows + row] = from[row * columns + column] ?? 0;
      }
    }
  }
  return new Uint8Array(to.buffer);
}
