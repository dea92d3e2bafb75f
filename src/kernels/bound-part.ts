/** Rows, or experts, `first` to `first + count - 1` of a matrix that is bound in parts. */
export interface BoundPart {
  readonly first: number;
  readonly count: number;
}

/** Bytes of the `part` binding (lib/bound-part.wgsl). */
export const boundPartBytes = 16;

/** The `part` binding. */
export const packBoundPart = ({ first, count }: BoundPart): Uint32Array<ArrayBuffer> =>
  Uint32Array.of(first, count, 0, 0);
