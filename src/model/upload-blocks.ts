import { roundUp4 } from "../gpu/buffers.ts";
import { int8PieceUnit } from "../kernels/linear/dense.ts";
import type { TensorPlacement } from "./weights.ts";

/** Bytes [startBytes, endBytes) of a tensor. */
export interface Segment {
  readonly placement: TensorPlacement;
  readonly startBytes: number;
  readonly endBytes: number;
  /** Where it stands in the staging memory: a multiple of 4. */
  readonly stagedBytes: number;
}

/** Neighbouring bytes of a file that are read at once, and the tensors that they belong to. */
export interface Block {
  readonly file: string;
  readonly startBytes: number;
  readonly endBytes: number;
  readonly segments: readonly Segment[];
  /** Staging memory it takes: a multiple of 4. */
  readonly stagedBytes: number;
  /** Whether the bytes stand in the staging memory as they do in the file, so that they may be read right into it. */
  readonly isDirect: boolean;
}

/** Room for a block whose segments are moved to multiples of 4. */
export const stagingSlackBytes = 4096;

/** Queues and copies take multiples of 4 bytes. */
const granuleBytes = 4;
/** Bytes after which a tensor that is to be int8 may be cut: two bytes a weight in the file. */
const int8GranuleBytes = ({ columns }: { readonly columns: number }): number => 2 * int8PieceUnit(columns);

/**
 * Cuts what is to be loaded into blocks of at most about `blockBytes`, in file order, each within one aligned stretch of
 * that size: a store that keeps files in chunks of it reads each chunk for one block. Tensors are cut at multiples of 4
 * of their own bytes (what is to be int8: after whole groups), wherever they start; a matrix that is to be transposed is a block of its own.
 */
export function planBlocks(placements: readonly TensorPlacement[], blockBytes: number): Block[] {
  const blocks: Block[] = [];
  let open: OpenBlock | undefined;
  const finish = () => {
    if (open !== undefined) blocks.push(closed(open));
    open = undefined;
  };
  for (const placement of inFileOrder(placements)) {
    const { tensor, transpose } = placement;
    if (transpose !== undefined) finish();
    for (const [startBytes, endBytes] of cutsOf(placement, blockBytes)) {
      const at = tensor.startBytes + startBytes;
      if (open === undefined || !joins(open, placement, at, endBytes - startBytes, blockBytes)) {
        finish();
        open = { file: tensor.file, startBytes: at, endBytes: at, segments: [], stagedBytes: 0 };
      }
      open.segments.push({ placement, startBytes, endBytes, stagedBytes: open.stagedBytes });
      open.endBytes = tensor.startBytes + endBytes;
      open.stagedBytes += roundUp4(endBytes - startBytes);
    }
    if (transpose !== undefined) finish();
  }
  finish();
  return blocks;
}

interface OpenBlock {
  readonly file: string;
  readonly startBytes: number;
  endBytes: number;
  readonly segments: Segment[];
  stagedBytes: number;
}

function joins(
  open: OpenBlock,
  { tensor, transpose }: TensorPlacement,
  at: number,
  sizeBytes: number,
  blockBytes: number,
): boolean {
  return (
    transpose === undefined &&
    open.file === tensor.file &&
    open.endBytes === at &&
    Math.floor(open.startBytes / blockBytes) === Math.floor(at / blockBytes) &&
    open.stagedBytes + roundUp4(sizeBytes) <= blockBytes + stagingSlackBytes
  );
}

function closed({ file, startBytes, endBytes, segments, stagedBytes }: OpenBlock): Block {
  const isDirect = segments.every(
    ({ placement, startBytes: from, endBytes: to, stagedBytes: staged }) =>
      placement.transpose === undefined &&
      (to - from) % 4 === 0 &&
      placement.tensor.startBytes + from - startBytes === staged,
  );
  return { file, startBytes, endBytes, segments, stagedBytes, isDirect };
}

/** Ranges of a tensor's bytes, each for one block. */
function* cutsOf(
  { tensor, transpose, int8 }: TensorPlacement,
  blockBytes: number,
): Generator<[number, number]> {
  const sizeBytes = tensor.endBytes - tensor.startBytes;
  for (let start = 0; start < sizeBytes; ) {
    const end =
      transpose === undefined
        ? cutAfter(
            tensor.startBytes,
            start,
            blockBytes,
            int8 === undefined ? granuleBytes : int8GranuleBytes(int8),
          )
        : start + transpose.rows * transpose.columns * 2;
    yield [start, Math.min(end, sizeBytes)];
    start = end;
  }
}

/** The last place before the next multiple of `blockBytes` in the file at which a tensor may be cut. */
function cutAfter(tensorStart: number, start: number, blockBytes: number, granuleBytes: number): number {
  const boundary = (Math.floor((tensorStart + start) / blockBytes) + 1) * blockBytes;
  const cut = Math.floor((boundary - tensorStart) / granuleBytes) * granuleBytes;
  return Math.max(cut, start + granuleBytes);
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
